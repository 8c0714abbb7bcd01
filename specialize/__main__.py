"""``python -m specialize``: the command line."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts the working directory first on the path: modules there are not ours to run
    here = Path.cwd()
    if (
        not sys.flags.safe_path
        and sys.path[:1] == [str(here)]
        and Path(__file__).parents[1] != here
    ):
        del sys.path[0]
    from specialize.cli import main

    raise SystemExit(main())
