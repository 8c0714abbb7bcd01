"""Keys of a language, a task, a pair, or all."""

import pytest

from specialize.errors import UsageError
from specialize.modules.scope import Scope, check_by


def test_a_scope_gives_the_key_of_what_parameters_belong_to() -> None:
    scope = Scope("to", "pos")
    assert [scope.key(by) for by in ("all", "language", "task", "pair")] == [
        "all",
        "to",
        "pos",
        "to+pos",
    ]


@pytest.mark.parametrize(("scope", "by"), [(Scope("to"), "task"), (Scope(task="pos"), "pair")])
def test_a_missing_part_is_an_error_never_a_default(scope: Scope, by: str) -> None:
    with pytest.raises(UsageError, match="expected a scope with a"):
        scope.key(by)


def test_nothing_belongs_to_anything_else() -> None:
    with pytest.raises(UsageError, match="expected one of all, language, task, pair, got 'layer'"):
        check_by("layer")
