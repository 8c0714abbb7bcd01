"""Runs compared: scores over seeds, paired tests against a baseline, what may not be claimed."""

from specialize.comparison.build import compare
from specialize.comparison.significance import marks
from specialize.comparison.values import BITS, METRICS, TEXT, Cell, Comparison, Run, Test

__all__ = ["BITS", "METRICS", "TEXT", "Cell", "Comparison", "Run", "Test", "compare", "marks"]
