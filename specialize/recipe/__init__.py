"""Recipes: TOML tables checked against types, and the methods they name.

In reading order: ``table`` (the validator), ``toml`` (files, ``--set``), ``methods`` (find, bind,
describe), ``keys`` (what a recipe may hold), ``recipe`` (it as values), ``read``, ``reference``
(docs/recipes.md).
"""
