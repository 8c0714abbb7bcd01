"""Measures of a tokenizer on a text, and comparisons of two tokenizers."""
