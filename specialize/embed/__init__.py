"""Methods that initialise fresh rows: ``init(table, change, corpus, *, ...) -> FreshRows``."""
