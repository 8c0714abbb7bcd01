"""Parts of benchmarks/extend.py: texts, base tokenizers, ways to extend them, measures."""
