"""Methods that rewrite text: ``mix(line, *, ...) -> str``."""
