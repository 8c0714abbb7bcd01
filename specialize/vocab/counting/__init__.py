"""Words, tokens and units of a text counted by types."""
