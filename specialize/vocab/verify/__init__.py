"""The proof of a written tokenizer, in a fresh process."""
