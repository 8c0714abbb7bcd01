"""WordPiece: BERT's pre-tokenisation, longest match first, and guarding against new pieces."""
