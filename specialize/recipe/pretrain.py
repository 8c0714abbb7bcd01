"""Recipes of `specialize pretrain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.errors import UsageError
from specialize.recipe.files import check_files, file_of, files_of
from specialize.recipe.table import build, check_left_out, convert, keys_of
from specialize.recipe.toml import located, read_table

if TYPE_CHECKING:
    from specialize.train.pretrain import Pretrain
    from specialize.train.vectors import Vectors


def read_pretrain(path: Path, changes: Sequence[str] = ()) -> Pretrain | Vectors:
    """Return the pretraining recipe of a TOML file, checked like `read_recipe`."""
    from specialize.train.pretrain import Pretrain
    from specialize.train.vectors import Vectors

    with located(path, changes):
        table = read_table(path, changes, command="pretrain")
        bilstm = table.get("shape") == "bilstm"
        known = keys_of(Vectors if bilstm else Pretrain)
        if not bilstm and not table.get("languages"):
            raise UsageError(f"{path}: expected a table [languages] with lines code = [files]")
        if isinstance(own := table.get("languages"), Mapping):
            check_left_out(table, read_table(path), ("languages",))
            table["languages"] = {code: files for code, files in own.items() if files is not False}
            for code, files in own.items():
                check_files(files, f"languages.{code}")
        for name in {"languages", "remove"}.intersection(table):
            files = convert(table[name], known[name], name)
            table[name] = files_of(files, path.parent, name)
        if bilstm and (file := table.get("vectors")):
            table["vectors"] = str(file_of(str(file), path.parent, "vectors"))
        return build(Vectors, table, "") if bilstm else build(Pretrain, table, "")
