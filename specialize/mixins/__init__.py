"""Methods that rewrite lines: ``mix(line, *, ...) -> str``; several apply in order."""
