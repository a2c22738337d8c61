"""``python -m k8s.cancel --run RUN``: stops a run's training. Cells keep their checkpoints; the report is still made."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from k8s import verbs
from k8s.cluster import jobs
from k8s.cluster.kube import connect
from k8s.manifests import names


def main(argv: Sequence[str] | None = None) -> int:
    """Deletes the run's unfinished trainer and preparing Jobs; returns the exit code."""
    parser = verbs.parser(
        "cancel", "Stops a run: its pods commit a checkpoint and end, its report is made of what there is."
    )
    return verbs.run(cancel, parser.parse_args(argv))


def cancel(arguments: argparse.Namespace) -> int:
    """Deletes, and says what."""
    store, frozen, settings = verbs.opened(arguments)
    with connect(settings.context, settings.namespace) as kube:
        active = [
            j
            for j in kube.list("Job", names.selector(frozen.name))
            if not jobs.finished(j) and not jobs.part(j, names.COLLECT)
        ]
        for job in active:
            kube.delete("Job", jobs.name(job))
            print(f"cancelled {jobs.name(job)}", flush=True)
    print(f"cancelled {len(active)} Jobs; launch the run again to go on from its checkpoints in {store.url}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
