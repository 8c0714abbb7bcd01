"""Methods that initialise fresh rows: ``init(tables, change, corpus, *, ...) -> FreshRows``."""
