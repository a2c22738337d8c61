"""The parts that all programs of this package share: the flags that name a run, and the end of a program."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from experiment import keys, urls
from experiment.console import say_beside
from experiment.errors import ExperimentError, Transient, describe_error
from experiment.interrupts import interrupted_by_signals
from experiment.ledger import Problem
from experiment.outage import Patience
from experiment.program import CommandLine, report_errors
from experiment.run import Run, open_run
from experiment.store import Store
from k8s.manifests import sources
from k8s.manifests.settings import Settings

if TYPE_CHECKING:
    from k8s.cluster.kube import Kube

VERBS = {
    "launch": "trains the cells of a grid that have no result yet, on a cluster or on this machine",
    "doctor": "says what a launch would meet in the cluster and the store, before anything is launched",
    "status": "prints the state of every cell of a run, or the runs of a store",
    "wait": "shows a run until it has ended; attaches again to one that was launched before",
    "logs": "prints what the attempts at a cell wrote",
    "cancel": "stops the training of a run",
    "retry": "trains the failed cells of a run again",
    "cleanup": "removes what a run leaves in the cluster, and its checkpoints",
    "setup": "prints or applies what a namespace needs before a launch",
    "collect": "keeps the report of a run fresh; a launch starts it in a pod",
}


def run_verb(verb: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Runs a verb and returns its exit code; a signal ends it, and a foreseen error is one line on stderr."""

    def interruptible() -> int:
        with interrupted_by_signals():
            return verb(arguments)

    return report_errors(interruptible)


def verb_parser(verb: str, about: str, *, needs_run: bool = True) -> argparse.ArgumentParser:
    """Returns a verb's command line with the flags that all of them need: the run, and where its Jobs are."""
    made = CommandLine(prog=f"python -m k8s.{verb}", description=about, allow_abbrev=False)
    add_run_flags(made, needs_run=needs_run)
    sources.add_setting_flags(made, "context", "namespace", "answer_seconds")
    return made


def add_run_flags(parser: argparse.ArgumentParser, *, needs_run: bool = True) -> None:
    """Adds the flags that name a run."""
    about = "the run's name, or STORE/runs/RUN" + ("" if needs_run else "; without it all runs of the store")
    parser.add_argument("--run", required=needs_run, metavar="RUN|URL", help=about)
    parser.add_argument("--store", default="store", metavar="URL", help="the store, where --run is a name (./store)")


def open_named_run(arguments: argparse.Namespace) -> tuple[Store, Run, Settings]:
    """Returns the store and the run that the flags name, and the settings."""
    settings = sources.load_settings(arguments, os.environ)
    is_url = f"/{keys.RUNS}" in arguments.run
    url = arguments.run if is_url else urls.run_url(arguments.store, arguments.run)
    store, run = wait_for_store(settings).wait_out(lambda: open_run(url))
    return store, run, settings


def wait_for_store(settings: Settings) -> Patience:
    """Returns how long a verb waits for a store that is away while a person waits for the verb."""
    return Patience(seconds=settings.answer_seconds, say=say_beside, waits_for=(Transient,))


@contextlib.contextmanager
def reach_cluster(settings: Settings) -> Iterator[tuple[Kube | None, str]]:
    """Yields the cluster of the settings, or None and the reason, for verbs that can answer from the store alone."""
    from k8s.cluster import connect  # a launch on this machine does without the client

    try:
        kube = connect.connect_as_set(dataclasses.replace(settings, outage_seconds=settings.answer_seconds), quick=True)
    except ExperimentError as error:
        yield None, describe_error(error)
        return
    with kube:
        yield kube, ""


def print_warnings(problems: Iterable[Problem]) -> None:
    """Says on stderr what could not be asked or read, one line each."""
    for problem in problems:
        print(f"warning: {problem.reason}", file=sys.stderr)
