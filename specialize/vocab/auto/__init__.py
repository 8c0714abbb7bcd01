"""Tokenizers as users load them: transformers' AutoTokenizer on a folder, in a fresh process."""
