"""Vocabularies: their pieces, segmentation of text, and measures of how well they fit it.

In reading order: ``base`` (the protocol and the change), ``marks`` and ``library``; the families
``wordpiece``, ``bpe`` and ``unigram`` (shared by the last two: ``library_vocabulary``), each with
its model, guard and extension; ``open`` and ``write`` with ``formats``; ``framing`` (what a model
expects around a text); ``counting``, ``audit`` (measures of any tokenizer), ``train`` (pieces from
words) and ``verify`` (checks of a written tokenizer).
"""
