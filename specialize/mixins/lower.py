"""Lower case, for a corpus in capitals and a task's text in lower case, or the reverse."""


def mix(line: str) -> str:
    """Return ``line`` in lower case: ``"ⲠⲢⲰⲘⲈ"`` -> ``"ⲡⲣⲱⲙⲉ"``.

    Unicode's language-independent rules: ``İ`` becomes ``i`` with a combining dot, ``I`` never
    ``ı``. Scripts without case (Arabic, Ethiopic, Devanagari, Han, ...) are unchanged. The model no
    longer sees case, so entities are harder to find in languages that capitalise names.
    """
    return line.lower()
