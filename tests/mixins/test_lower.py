"""Lower case: scripts with case, and those without."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.mixins import lower


@pytest.mark.parametrize(
    ("line", "lowered"),
    [
        ("ⲠⲢⲰⲘⲈ ⲚⲀϤ", "ⲡⲣⲱⲙⲉ ⲛⲁϥ"),
        ("Ärger, ΟΔΟΣ", "ärger, οδος"),
        ("ԲԱՐԵՒ", "բարեւ"),
        ("ئۇيغۇر ሰላም 漢字 1A", "ئۇيغۇر ሰላም 漢字 1a"),
        ("İI", "i\u0307i"),
        ("", ""),
    ],
)
def test_letters_with_case_become_lower_case(line: str, lowered: str) -> None:
    assert lower.mix(line) == lowered


@given(st.text())
def test_lower_casing_twice_changes_nothing_more(line: str) -> None:
    assert lower.mix(lower.mix(line)) == lower.mix(line)
