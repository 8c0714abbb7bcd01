"""``python -m specialize``: the command line."""

from specialize.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
