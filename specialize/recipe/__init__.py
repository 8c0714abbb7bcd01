"""Recipes: tables read from TOML, checked whole, and the methods they name."""
