"""Systems of modules that an arm can train in place of the model, one per file."""
