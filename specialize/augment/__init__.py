"""Methods of choosing new pieces: ``change(vocabulary, corpus, *, ...)``, one to a file."""
