"""Reading and writing tokenizer files: tokenizer.json, vocab.txt, SentencePiece, tiktoken."""
