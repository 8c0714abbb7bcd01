"""Tokenizer files read and written: tokenizer.json, vocab.txt, SentencePiece, tiktoken."""
