"""Modules by language and task on unmodified hosts: scope -> site -> source.

A `Scope` names a language and a task. A site is a named point of a transformers model, realised by
a forward hook (`attach`). A source gives the parameters that a scope has at a site: kept one set
per key, stacked, fused, averaged or generated. A system (X-MOD, MAD-X, Hyper-X) is a small table
from sites to sources.
"""
