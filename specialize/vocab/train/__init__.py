"""Vocabularies trained from word counts."""
