"""Tasks: one method a file, each made by its function ``task``; see `_base.Task`."""
