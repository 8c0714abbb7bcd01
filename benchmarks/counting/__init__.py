"""Parts of benchmarks/count.py: texts, tools, measurements, tables."""
