"""Verification of a written tokenizer in a fresh process: one list of checks for all families."""
