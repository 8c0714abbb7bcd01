"""What to share in a parser of two languages (de Lhoneux et al. 2018), all 27 ways."""
