"""A recipe of transfer between toy languages, on a tiny base."""

from pathlib import Path

from specialize.toylang import to_latin, write_language


def write_recipe(folder: Path, base: Path, *, top: str = "") -> Path:
    """Write two toy languages, treebanks and text, and a recipe that takes seconds."""
    text = f"""\
base = "{base}"
train = ["aa"]
targets = ["aa", "bb"]
seen = ["aa"]
steps = [1, 2]
repeats = 2
sentences = 6
{top}
[mlm]
batch = 2
length = 16
rate = 5e-3
[adapter]
epochs = 1
batch = 8
[interference]
steps = 2
fusion_steps = 1
rate = 1e-2
[transfer]
"""
    banks = ""
    for seed, name in enumerate(("aa", "bb", "cc")):
        files = write_language(folder / name, seed=seed, documents=8, sentences=(16, 8, 8))
        for path in (files.corpus, files.train, files.dev, files.test):
            path.write_text(to_latin(path.read_text("utf-8")), "utf-8")
        text += f'{name} = ["{files.corpus}"]\n'
        parts = (("train", files.train), ("dev", files.dev), ("test", files.test))
        banks += f"[treebank.{name}]\n" + "".join(f'{part} = "{path}"\n' for part, path in parts)
    path = folder / "transfer.toml"
    path.write_text(text + banks, "utf-8")
    return path
