"""Tasks: one method a file, each returned by its function ``task``; see `_base.Task`."""
