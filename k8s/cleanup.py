"""``python -m k8s.cleanup --run RUN``: removes what a run leaves in the cluster, and its checkpoints. Never a result."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from experiment import keys
from experiment.ledger import committed_ids
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster import jobs
from k8s.cluster.kube import connect
from k8s.manifests import names


def main(argv: Sequence[str] | None = None) -> int:
    """Removes finished Jobs and what finished cells no longer need; returns the exit code."""
    parser = verbs.parser(
        "cleanup", "Removes a run's finished Jobs, and checkpoints and progress of its finished cells."
    )
    parser.add_argument("--all", action="store_true", help="also unfinished Jobs, and checkpoints of unfinished cells")
    return verbs.run(cleanup, parser.parse_args(argv))


def cleanup(arguments: argparse.Namespace) -> int:
    """Removes, and says how much."""
    store, frozen, settings = verbs.opened(arguments)
    with connect(settings.context, settings.namespace) as kube:
        going = [j for j in kube.list("Job", names.selector(frozen.name)) if arguments.all or jobs.finished(j)]
        for job in going:
            kube.delete("Job", jobs.name(job))
            print(f"removed {jobs.name(job)}", flush=True)
    spent = list(leftovers(store, frozen, everything=arguments.all))
    for key in spent:
        store.delete(key)
    print(f"removed {len(going)} Jobs and {len(spent)} objects of {store.url}; results, models, failures and logs stay")
    return 0


def leftovers(store: Store, frozen: Run, *, everything: bool) -> Iterator[str]:
    """Keys that nobody needs any more: checkpoints and progress of finished cells, or of every cell of the run."""
    cells = {c.id for c in frozen.grid.cells} if everything else committed_ids(store, frozen.grid.cells)
    for cell in sorted(cells):
        yield from store.list(keys.checkpoints(cell))
    yield from sorted({keys.progress(cell) for cell in cells} & set(store.list(keys.PROGRESS)))


if __name__ == "__main__":
    raise SystemExit(main())
