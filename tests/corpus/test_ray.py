"""Counting on a Ray cluster: the same counts, and the same errors."""

import subprocess
import sys
from pathlib import Path

import pytest

from specialize.corpus import count_lines, write_counts
from specialize.corpus.ray import count_with_ray
from specialize.errors import MissingError


def test_a_missing_ray_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingError, match=r"pip install specialize\[ray\]"):
        count_with_ray([str(tmp_path)])


RAY = """
import sys, ray
from specialize.corpus import open_text
from specialize.corpus.ray import count_with_ray
from specialize.errors import DataError
from specialize.vocab.counting.words import counted

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
here, there = counted(open_text(sys.argv[1:2])), count_with_ray(sys.argv[1:2])
assert list(there.tokens.items()) == list(here.tokens.items())
assert (there.characters, there.bytes) == (here.characters, here.bytes)
assert there.dropped == here.dropped
assert there.dropped.tokens == 2
try:
    count_with_ray(sys.argv[1:])
except DataError as fault:
    print(fault)
"""


@pytest.mark.slow
def test_ray_counts_the_same(tmp_path: Path) -> None:
    """In a separate process: a cluster leaves threads and signal handlers behind."""
    pytest.importorskip("ray.data", reason="Ray is not installed: pip install specialize[ray]")
    for i in range(4):
        text = "".join(f"{j * i % 17} ئا{j % 5} \u2028{i}\tb\x1c\n" for j in range(200))
        (tmp_path / f"{i}.txt").write_text(text, "utf-8")
    (tmp_path / "4.txt").write_text("\n", "utf-8")
    write_counts(count_lines(["ئا1 ئا1 first seen"], max_types=2), tmp_path / "5.counts.xz")
    broken = tmp_path / ".broken.txt"  # hidden, so not part of the folder
    broken.write_bytes(b"a\n\xff\n")
    done = subprocess.run(
        [sys.executable, "-c", RAY, tmp_path, broken], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{broken}:2: not UTF-8 (byte 0xff at column 1); " + (
        "convert it, for example with iconv\n"
    )
