"""How well a tokenizer serves a text, and how two tokenizers differ."""
