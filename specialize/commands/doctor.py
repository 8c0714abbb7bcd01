"""``specialize doctor``: what is installed and what will be used."""

from __future__ import annotations

import json
from argparse import Namespace

from specialize.commands._arguments import Parsers, add_command


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "doctor",
        help="what is installed and will be used: device, threads, versions, native code",
        examples="specialize doctor\nspecialize doctor --json",
    )
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print the facts of the machine."""
    from specialize.environment import machine_facts, set_threads

    threads = set_threads()
    facts = machine_facts() | {"threads": f"{threads.number} ({threads.why})"}
    if options.json:
        print(json.dumps(facts))
        return
    for key, value in facts.items():
        print(f"{key:14} {value}")
