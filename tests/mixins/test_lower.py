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
def test_letters_with_case_become_small(line: str, lowered: str) -> None:
    assert lower.mix(line) == lowered


@given(st.text())
def test_a_second_pass_changes_nothing(line: str) -> None:
    assert lower.mix(lower.mix(line)) == lower.mix(line)
