"""`python -m helsevev.region`: the region's command by itself, as `helsevev region` runs it."""

from __future__ import annotations

import argparse
import sys

from .command import SUMMARY, add_arguments, run


def main() -> int:
    """Parse the command line and run it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helsevev.region", description=SUMMARY)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
