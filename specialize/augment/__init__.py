"""Methods that change a vocabulary: ``change(vocabulary, corpus, *, ...) -> VocabChange``."""
