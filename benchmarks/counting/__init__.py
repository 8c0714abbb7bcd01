"""What benchmarks/count.py runs: texts, tools, measurements, tables."""
