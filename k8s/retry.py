"""``python -m k8s.retry --run RUN``: trains the failed cells of a run again, and no others."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from k8s import verbs
from k8s.cluster import executor, scene, states, submit
from k8s.cluster.kube import connect
from k8s.cluster.look import look
from k8s.manifests import checks, render, sources
from k8s.planning.freeze import git_commit
from k8s.planning.work import work


def main(argv: Sequence[str] | None = None) -> int:
    """Makes a new Job for the failed cells; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m k8s.retry", description="Trains the failed cells of a run again.", allow_abbrev=False
    )
    verbs.add_run(parser)
    sources.add_arguments(parser)
    return verbs.run(retry, parser.parse_args(argv))


def retry(arguments: argparse.Namespace) -> int:
    """Looks, and launches what has failed, with the settings given now: more memory, for instance."""
    store, frozen, settings = verbs.opened(arguments)
    with connect(settings.context, settings.namespace) as kube:
        failed = [c.index for c in states.states(look(store, frozen, kube)) if c.state == states.FAILED]
        for index in failed:
            print(f"again: {frozen.grid.cells[index].id}", flush=True)
        if not failed:
            print(f"no cell of run {frozen.name} has failed; python -m k8s.launch trains what is missing")
            return 0
        todo = work(frozen.name, frozen.grid, failed, scene.look(kube, store, frozen.name), again=True)
        commission = render.Launch(
            store=store.url, run=frozen.name, grid=frozen.grid.name, git_commit=git_commit(), settings=settings
        )
        manifests = executor.manifests_for(commission, frozen.grid, todo)
        checks.check(manifests)
        submit.judge(kube, manifests)
        executor.hand_over(kube, store, todo, manifests)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
