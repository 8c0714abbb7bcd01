"""Who helps whom: cross-lingual transfer and interference (Faisal & Anastasopoulos 2024)."""
