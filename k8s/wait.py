"""``python -m k8s.wait --run RUN``: shows a run until it has ended, as ``k8s.launch --wait`` does, and needs no settings."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Mapping, Sequence

from experiment.assignment import Assignment
from experiment.errors import refuse
from experiment.program import run_program
from k8s import verbs
from k8s.cluster import records_watch, watch
from k8s.cluster.connect import connect_as_set
from k8s.cluster.observe import read_known_assignments
from k8s.manifests import sources


def main(argv: Sequence[str] | None = None) -> int:
    """Shows a run to its end; returns 0 if every cell is done and the report is there."""
    parser = verbs.verb_parser("wait", "Shows a run until it has ended. Ctrl-C ends this program and not the run.")
    for name in ("outage_seconds", "hopeless_minutes", "notify"):
        sources.add_setting_flag(parser, name)
    return verbs.run_verb(wait_for_run, parser.parse_args(argv))


def wait_for_run(arguments: argparse.Namespace) -> int:
    """Watches the Jobs of a run that was launched on a cluster, and the records of one that was not."""
    store, run, settings = verbs.open_named_run(arguments)
    notify = arguments.notify or ""  # of a setting the collecting Job tells the end already
    assignments, problems = verbs.wait_for_store(settings).wait_out(lambda: read_known_assignments(store, run.name))
    if not assignments and not problems:
        return records_watch.watch_records(store, run, outage_seconds=settings.outage_seconds, notify=notify)
    given = sources.given_value(arguments, os.environ, "namespace")
    namespace = given or find_namespace(assignments) or settings.namespace
    where = f" --context {settings.context}" if settings.context else ""
    where += f" --namespace {given}" if given else ""
    with connect_as_set(dataclasses.replace(settings, namespace=namespace)) as kube:
        return watch.watch_run(
            kube,
            store,
            run,
            hopeless_minutes=settings.hopeless_minutes,
            outage_seconds=settings.outage_seconds,
            where=where,
            notify=notify,
        )


def find_namespace(assignments: Mapping[str, Assignment]) -> str:
    """Returns the namespace of a run's Jobs; empty where no list of cells names it.

    Raises:
        InvalidInput: the lists name several.
    """
    found = sorted({a.namespace for a in assignments.values() if a.namespace})
    if len(found) > 1:
        raise refuse("the namespace of the run's Jobs", ", ".join(found), "one", "give the one to watch as --namespace")
    return "".join(found)


if __name__ == "__main__":
    run_program(main)
