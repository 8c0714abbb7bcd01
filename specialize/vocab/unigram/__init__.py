"""Unigram: its model, new pieces with calibrated scores, native counting."""
