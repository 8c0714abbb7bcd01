"""Studies: many runs of what the package does, and what they say together."""
