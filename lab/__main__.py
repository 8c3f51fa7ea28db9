"""`lab` and `python -m lab`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; an error is one line on stderr and the exit code of its class."""
    from lab.cli import run_cli

    sys.exit(run_cli(sys.argv[1:]))


if __name__ == "__main__":
    main()
