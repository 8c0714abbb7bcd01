"""Find, load, change and save models; the only package that imports transformers."""
