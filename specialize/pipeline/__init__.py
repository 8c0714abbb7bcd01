"""From a recipe to a result directory: stages planned, checked, run, collected and laid out."""

from specialize.pipeline.run import plan, specialize, specialize_all

__all__ = ["plan", "specialize", "specialize_all"]
