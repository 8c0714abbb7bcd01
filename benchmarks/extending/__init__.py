"""What benchmarks/extend.py runs: texts, base tokenizers, ways to extend them, measures."""
