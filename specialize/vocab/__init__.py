"""Vocabularies: their pieces, how text falls into them, and how well they serve it.

In the order of reading: ``base`` (the two values), ``pretokenize`` (text to words), ``wordpiece``
(words to pieces), ``train`` (pieces from words), ``files``, ``unk`` (which pieces replace
unknowns), ``coverage`` (what each does), ``audit`` and ``library`` (counts of a text). Then the
other families: ``fast`` (what they share), ``bpe`` and ``unigram``, ``kinds`` (what a BPE joins),
``continued``, ``candidates``, ``kept`` and ``calibrated`` (their new pieces), ``spm`` and ``ranks``
(files of other libraries), ``families`` (all behind one door); and the proofs, ``verify`` and
``verify_any``.
"""
