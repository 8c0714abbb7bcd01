"""WordPiece: BERT's pre-tokenisation, longest match first, and what its new pieces may break."""
