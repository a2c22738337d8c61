"""``python -m k8s.cleanup --run RUN``: removes what a run leaves in the cluster, its checkpoints and leases. Never a result."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from experiment import keys
from experiment.ledger import committed_ids
from experiment.program import run_program
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster.connect import connect_as_set
from k8s.manifests import jobs, names


def main(argv: Sequence[str] | None = None) -> int:
    """Removes finished Jobs, and the checkpoints, leases and progress records of finished cells; returns the exit code."""
    about = "Removes a run's finished Jobs, and the checkpoints, leases and progress records of its finished cells."
    parser = verbs.verb_parser("cleanup", about)
    parser.add_argument("--all", action="store_true", help="also unfinished Jobs, and checkpoints of unfinished cells")
    return verbs.run_verb(clean_up_run, parser.parse_args(argv))


def clean_up_run(arguments: argparse.Namespace) -> int:
    """Removes Jobs and objects, and prints how many."""
    store, run, settings = verbs.open_named_run(arguments)
    with connect_as_set(settings) as kube:
        found = kube.list("Job", names.run_selector(run.name))
        spent_jobs = [j for j in found if arguments.all or jobs.has_ended(j)]
        for job in spent_jobs:
            kube.delete("Job", jobs.object_name(job))
            print(f"removed {jobs.object_name(job)}", flush=True)
    spent = list(spent_keys(store, run, everything=arguments.all))
    for key in spent:
        store.delete(key)
    counts = f"removed {len(spent_jobs)} Jobs and {len(spent)} objects of {store.url}"
    print(f"{counts}; results, models, failures and logs stay")
    return 0


def spent_keys(store: Store, run: Run, *, everything: bool) -> Iterator[str]:
    """Yields the keys of checkpoints, leases, and records of progress and start: of finished cells, or of every cell."""
    cells = {c.id for c in run.grid.cells} if everything else committed_ids(store, run.grid.cells)
    for cell in sorted(cells):
        yield from store.list(keys.folder(keys.CHECKPOINTS, cell))
        yield from store.list(keys.folder(keys.LEASES, cell))
    own = {key for cell in cells for key in (keys.progress(cell), keys.start(cell))}
    yield from sorted(own & set(store.list(keys.PROGRESS)))


if __name__ == "__main__":
    run_program(main)
