"""Settings of runs beside each other: what may not be compared, and what readers must know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from specialize.comparison.read import Opened
from specialize.errors import UsageError

Flat = Mapping[str, Any]
FILES = ("train", "dev", "test")


def check_comparable(opened: Sequence[Opened]) -> None:
    """Refuse runs of one language whose scores cannot stand in one row.

    UsageError where they score a task on different files or in different ways, or have an arm of
    the same name with different settings, base or data: its seeds cannot be merged. Of a run
    without a recipe.toml, which is written at its end, nothing is known.
    """
    for first, second in combinations([o for o in opened if o.recipe], 2):
        if first.run.language != second.run.language:
            continue
        for task in _common(first.run.facts["tasks"], second.run.facts["tasks"]):
            found = differences(_evaluation(first, task), _evaluation(second, task))
            _refuse(found, f"task {task}", first, second, "score both on the same file")
        for arm in _common(_arms(first), _arms(second)):
            tasks = _common(first.run.facts["tasks"], second.run.facts["tasks"])
            found = differences(_setup(first, arm, tasks), _setup(second, arm, tasks))
            _refuse(found, f"arm {arm}", first, second, "give one of the arms another name")


def cautions(opened: Sequence[Opened]) -> Iterator[str]:
    """Yield what differs between runs that are compared, or is not known of them."""
    names = _labels(opened)
    for run in opened if len(opened) > 1 else ():
        if not run.recipe:
            yield f"{run.run.folder} has no recipe.toml yet: its settings may differ from others'"
    opened = [o for o in opened if o.recipe]
    for what, groups in _differing({names[o]: _machine(o) for o in opened}):
        yield f"the runs differ in {what}: {groups}"
    for language in dict.fromkeys(o.run.language for o in opened):
        runs = [o for o in opened if o.run.language == language]
        tasks = [
            t for t in runs[0].run.facts["tasks"] if all(t in o.run.facts["tasks"] for o in runs)
        ]
        same = {names[o]: _shared(o, tasks) for o in runs}
        for what, groups in _differing(same):
            if what != "base":
                yield f"{language}: its runs differ in {what}: {groups}; not in the arms alone"
    for task in dict.fromkeys(task for o in opened for task in o.run.facts["tasks"]):
        options = {names[o]: _options(o, task) for o in opened if task in o.run.facts["tasks"]}
        for what, groups in _differing(options):
            yield f"{task}: languages differ in {what}: {groups}"
    yield from _arm_settings(opened, names)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as one.

    >>> flat({"lapt": {"epochs": 3}, "mixin": []})
    {'lapt.epochs': 3, 'mixin': []}
    """
    found: dict[str, Any] = {}
    for key, value in table.items():
        inner = isinstance(value, Mapping)
        found |= flat(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": value}
    return found


def differences(one: Flat, other: Flat) -> list[str]:
    """Return what differs, as ``"finetune.epochs (1, 5)"``."""
    keys = dict.fromkeys([*one, *other])
    return [
        f"{key} ({_shown(one.get(key))}, {_shown(other.get(key))})"
        for key in keys
        if one.get(key) != other.get(key)
    ]


def _refuse(found: Sequence[str], what: str, first: Opened, second: Opened, advice: str) -> None:
    if found:
        raise UsageError(
            f"{first.run.folder} and {second.run.folder}: {what} of {first.run.language} differs "
            f"in {', '.join(found)}; {advice}, or compare the runs separately"
        )


def _common(one: Iterable[str], other: Iterable[str]) -> list[str]:
    others = set(other)
    return [name for name in one if name in others]


def _arms(opened: Opened) -> list[str]:
    return [arm["name"] for arm in opened.run.facts["arms"]]


# What a score depends on --------------------------------------------------------------------------


def _evaluation(opened: Opened, task: str) -> Flat:
    """Return how a task is scored: its method, options and test data."""
    return {**_options(opened, task), **_data(opened, task, ("test",))}


def _options(opened: Opened, task: str) -> Flat:
    settings = opened.task(task)
    options = {key: value for key, value in settings.items() if key not in FILES}
    return {**options, "method": opened.run.facts["tasks"][task]}


def _data(opened: Opened, task: str, parts: Sequence[str]) -> Flat:
    settings = opened.task(task)
    return {part: _content(opened, settings[part]) for part in parts if part in settings}


def _setup(opened: Opened, arm: str, tasks: Sequence[str]) -> Flat:
    return {**_shared(opened, tasks), **flat(_contents(opened, opened.arm(arm)))}


def _shared(opened: Opened, tasks: Sequence[str]) -> Flat:
    """Return what all arms of a run share: base, corpus, training data of ``tasks``."""
    found: dict[str, Any] = {"base": opened.run.base, "files of the base": _base_files(opened)}
    found |= flat({"corpus": _contents(opened, opened.recipe.get("corpus", {}))})
    found.pop("corpus.remove", None)  # it follows the tasks, and tests have their own check
    for task in tasks:
        data = _data(opened, task, ("train", "dev"))
        found |= {f"task.{task}.{part}": value for part, value in data.items()}
    return found


def _contents(opened: Opened, value: Any) -> Any:
    """Return ``value`` with the content's hash for each file name in it."""
    if isinstance(value, Mapping):
        return {key: _contents(opened, own) for key, own in value.items()}
    if isinstance(value, list):
        return [_contents(opened, own) for own in value]
    return _content(opened, value) if isinstance(value, str) else value


def _content(opened: Opened, name: str) -> Any:
    """Return the hash of a file, those in a folder, or the name of what is neither."""
    if name in opened.hashes:
        return opened.hashes[name]
    inside = [found for path, found in opened.hashes.items() if path.startswith(f"{name}/")]
    return inside or name


def _base_files(opened: Opened) -> list[str]:
    """Return the hashes of inputs that no other key of the recipe names."""
    named = [
        text for key, value in opened.recipe.items() if key != "base" for text in _texts(value)
    ]
    return sorted(
        found
        for path, found in opened.hashes.items()
        if not any(path == name or path.startswith(f"{name}/") for name in named)
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for own in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(own)


# Cautions -----------------------------------------------------------------------------------------


def _labels(opened: Sequence[Opened]) -> dict[Opened, str]:
    """Return how to name each run: by its language, or by its folder if several have that."""
    languages = [o.run.language for o in opened]
    return {
        o: o.run.language if languages.count(o.run.language) == 1 else str(o.run.folder)
        for o in opened
    }


def _machine(opened: Opened) -> Flat:
    machine = opened.run.facts.get("machine", {})
    names = ("specialize", "torch", "transformers", "device")
    return {"base": opened.run.base} | {name: machine.get(name) for name in names}


def _arm_settings(opened: Sequence[Opened], names: Mapping[Opened, str]) -> Iterator[str]:
    """Yield how arms of one name differ between languages, equal differences together."""
    found: dict[tuple[str, str], list[str]] = {}
    for arm in dict.fromkeys(arm for o in opened for arm in _arms(o)):
        settings = {
            names[o]: flat(_contents(o, o.arm(arm))) for o in opened if arm in _arms(o) and o.recipe
        }
        for difference in _differing(settings):
            found.setdefault(difference, []).append(arm)
    for (what, groups), arms in found.items():
        plural = "s" if len(arms) > 1 else ""
        yield f"arm{plural} {', '.join(arms)}: settings differ in {what}: {groups}"


def _differing(settings: Mapping[str, Flat]) -> Iterator[tuple[str, str]]:
    """Yield (key, "1 (ug), 5 (mt, ga)") for each key with several values."""
    for key in dict.fromkeys(key for table in settings.values() for key in table):
        groups: dict[str, list[str]] = {}
        for name, table in settings.items():
            groups.setdefault(_shown(table.get(key)), []).append(name)
        if len(groups) > 1:
            parts = [f"{value} ({', '.join(names)})" for value, names in groups.items()]
            yield key, ", ".join(parts)


def _shown(value: Any) -> str:
    """Return a value, of hashes and other long texts the beginning."""
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_shown(own)}' for key, own in value.items())}}}"
    text = "not set" if value is None else str(value)
    return text if len(text) <= 32 else f"{text[:12]}…"
