"""Imports point one way, and light modules stay light."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "specialize"
ORDER = [
    {"errors", "atomic", "fingerprints", "memory", "pipes", "progress", "records", "terminal"},
    {"native"},
    {"environment"},
    {"store"},
    {"executors", "tensorboard"},
    {"clusters"},
    {"corpus"},
    {"mixins", "toylang"},
    {"vocab", "vectors"},
    {"augment", "embed", "model", "tasks", "operators"},
    {"train", "evaluation", "inspection", "coverage_curves", "transliteration"},
    {"modules"},
    {"recipe"},
    {"comparison"},
    {"reports"},
    {"head_facts"},
    {"heads"},
    {"augmentation", "specialization", "demo"},
    {"pipeline"},
    {"studies"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
LIGHT = {"errors", "atomic", "recipe", "corpus", "mixins", "toylang", "vocab"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_imports_point_one_way() -> None:
    level = {name: i for i, names in enumerate(ORDER) for name in names}
    for path in modules():
        if part(path) == "__init__":
            continue
        for name in imports(path):
            words = name.split(".")
            if words[0] == "specialize" and len(words) > 1:
                assert level[words[1]] <= level[part(path)], f"{path} imports {name}"


def test_every_module_has_its_level() -> None:
    known = set().union(*ORDER) | {"__init__"}
    assert {part(path) for path in modules()} <= known


def test_only_model_speaks_to_transformers() -> None:
    """And AutoTokenizer, on which a tokenizer is proved: in a process of its own."""
    auto = PACKAGE / "vocab" / "auto" / "load.py"
    for path in modules():
        if part(path) not in {"model", "specialization"} and path != auto:
            assert not any(n.split(".")[0] == "transformers" for n in imports(path)), path


def test_light_parts_do_not_name_torch() -> None:
    for path in modules():
        if part(path) in LIGHT:
            assert not any(n.split(".")[0] == "torch" for n in imports(path)), path


def test_importing_the_package_and_its_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, specialize, specialize.cli; specialize.cli._parser().format_help(); "
        "import specialize.vocab.audit.audit, specialize.augment.tva, specialize.corpus; "
        "heavy = {'torch', 'transformers', 'numpy', 'pyarrow'} & set(sys.modules); "
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def calls(path: Path, *names: str) -> list[dict[str, object]]:
    """Return the constant keyword arguments of each call of a function or method."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in names:
            given = {str(k.arg): k.value for k in node.keywords}
            found.append({k: v.value for k, v in given.items() if isinstance(v, ast.Constant)})
    return found


def test_no_code_comes_with_a_model() -> None:
    """What is loaded is local, runs no code of its folder, and is no pickle."""
    files = [*modules(), *(PACKAGE.parent / "benchmarks").rglob("*.py")]
    loads = [given for path in files for given in calls(path, "from_pretrained")]
    assert len(loads) >= 2
    for given in loads:
        assert (given.get("trust_remote_code"), given.get("local_files_only")) == (False, True)
    for path in files:
        for given in calls(path, "from_config"):
            assert given.get("trust_remote_code") is False, path
        if "torch" in path.read_text("utf-8"):
            for name in ("torch.load(", "torch.hub", "pickle.load", "allow_pickle=True"):
                text = path.read_text("utf-8")
                assert name not in text or "weights_only=True" in text, (path, name)
