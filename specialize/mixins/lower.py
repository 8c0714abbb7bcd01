"""Lower case, where the corpus is in capitals and the task's text is not, or the other way."""


def mix(line: str) -> str:
    """Return ``line`` in lower case: ``"ⲠⲢⲰⲘⲈ"`` -> ``"ⲡⲣⲱⲙⲉ"``.

    By Unicode's rules without a language: ``İ`` becomes ``i`` with a combining dot, ``I`` never
    ``ı``. Scripts without case (Arabic, Ethiopic, Devanagari, Han, ...) are left as they are. The
    case of words is lost to the model: entities are harder to find in languages that capitalise.
    """
    return line.lower()
