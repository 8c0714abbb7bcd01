"""Punctuation as words of its own, as the paper's text has it."""

from specialize.corpus.normalize import spaced


def mix(line: str) -> str:
    """Return ``line`` with spaces around its punctuation.

    ``"Ja, ta'."`` -> ``"Ja , ta ' ."``: the treatment of ``corpus.punctuation = "spaced"`` (Chau &
    Smith 2021, appendix A.1) as a mix-in, for an order of your own and the words of tasks too.
    """
    return spaced(line)
