"""``python -m k8s.cancel --run RUN``: stops the training of a run. Its cells keep their checkpoints; its report is still made."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from experiment.program import run_program
from k8s import verbs
from k8s.cluster.connect import connect_as_set
from k8s.manifests import jobs, names


def main(argv: Sequence[str] | None = None) -> int:
    """Deletes the run's unfinished trainer and preparing Jobs; returns the exit code."""
    about = "Stops a run: its pods commit a checkpoint and end, and the report is made from the results so far."
    return verbs.run_verb(cancel_run, verbs.verb_parser("cancel", about).parse_args(argv))


def cancel_run(arguments: argparse.Namespace) -> int:
    """Deletes the Jobs and prints their names."""
    store, run, settings = verbs.open_named_run(arguments)
    with connect_as_set(settings) as kube:
        found = kube.list("Job", names.run_selector(run.name))
        active = [j for j in found if not jobs.has_ended(j) and not jobs.is_part(j, names.COLLECT)]
        for job in active:
            kube.delete("Job", jobs.object_name(job))
            print(f"cancelled {jobs.object_name(job)}", flush=True)
    print(f"cancelled {len(active)} Jobs; launch the run again to go on from its checkpoints in {store.url}")
    return 0


if __name__ == "__main__":
    run_program(main)
