"""``python -m specialize.vocab.auto.convert FOLDER``: the folder as transformers reads it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from specialize.errors import DataError
from specialize.vocab.auto.load import converted_here, start


def _main() -> int:
    start()
    try:
        print(json.dumps(asdict(converted_here(Path(sys.argv[1])))))
    except DataError as error:
        print(json.dumps({"fault": str(error)}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
