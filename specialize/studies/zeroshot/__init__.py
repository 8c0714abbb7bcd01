"""Zero-shot transfer to unseen pairs of a task and a language (Ustun et al. 2022)."""
