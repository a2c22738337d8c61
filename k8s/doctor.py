"""``python -m k8s.doctor``: says what is right and what is wrong before anything is launched, in one table."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from experiment.errors import ExperimentError, describe_error
from experiment.program import CommandLine, run_program
from experiment.store import check_conditional_writes, open_store
from k8s import verbs
from k8s.manifests import sources

if TYPE_CHECKING:
    from k8s.cluster.examination import Finding


def main(argv: Sequence[str] | None = None) -> int:
    """Prints what a launch would meet; returns 0 if nothing is wrong, else 1."""
    parser = CommandLine(
        prog="python -m k8s.doctor",
        description="Says what a launch with these settings would meet: namespace, accounts, rights, quotas, nodes, store.",
        allow_abbrev=False,
    )
    parser.add_argument("--store", required=True, metavar="URL", help="the store, s3://BUCKET/PREFIX")
    parser.add_argument(
        "--probe", action="store_true", help="also run a pod without a GPU that tries image, identity, store"
    )
    parser.add_argument("--probe-seconds", type=float, default=900.0, metavar="S", help="how long for at most (900)")
    sources.add_setting_flags(parser)
    return verbs.run_verb(print_findings, parser.parse_args(argv))


def print_findings(arguments: argparse.Namespace) -> int:
    """Prints one line for each thing that a launch needs, as it is found."""
    from k8s.cluster.examination import WRONG  # --help needs no client

    wrong = 0
    for finding in _examine(arguments):
        print(describe_finding(finding), flush=True)
        wrong += finding.state == WRONG
    print(f"{wrong} wrong" if wrong else "nothing wrong was found")
    return 1 if wrong else 0


def describe_finding(finding: Finding) -> str:
    """Returns a finding as a line of the table."""
    return f"{finding.state:8s} {finding.topic:10s} {finding.seen}" + (f"; {finding.advice}" if finding.advice else "")


def _examine(arguments: argparse.Namespace) -> Iterator[Finding]:
    from k8s.cluster.connect import connect_as_set  # --help needs no client
    from k8s.cluster.examination import RIGHT, WRONG, Finding, examine_cluster

    settings = sources.load_settings(arguments, os.environ)
    try:
        check_conditional_writes(open_store(arguments.store))
        yield Finding(
            topic="store", state=RIGHT, seen=f"{arguments.store} is reached from here, and keeps first writes"
        )
    except ExperimentError as error:
        yield Finding(topic="store", state=WRONG, seen=describe_error(error))
    with connect_as_set(settings) as kube:
        yield from examine_cluster(kube, settings)
        if arguments.probe:
            from k8s.cluster.probe import run_probe

            yield run_probe(kube, settings, arguments.store, arguments.probe_seconds)


if __name__ == "__main__":
    run_program(main)
