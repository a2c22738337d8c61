"""``python -m k8s``: lists the programs of this package."""

from __future__ import annotations

import sys

from experiment.program import run_program
from k8s.verbs import VERBS

USAGE_ERROR = 2


def main() -> int:
    """Prints the verbs, one line each; returns the exit code of a command line that names none."""
    print("usage: python -m k8s.VERB ...; each verb explains its flags with --help\n", file=sys.stderr)
    for verb, about in VERBS.items():
        print(f"  {f'python -m k8s.{verb}':24s} {about}", file=sys.stderr)
    return USAGE_ERROR


if __name__ == "__main__":
    run_program(main)
