"""``python -m trainer``: trains cells of a run, prepares data sets, waits for one, or verifies that cells resume exactly."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from experiment.assignment import resolve_index
from experiment.interrupts import interrupted_by_signals
from experiment.needs import import_packages
from experiment.program import report_errors, run_program
from experiment.run import open_run
from experiment.store import open_store
from trainer import arguments, environment
from trainer.datasets.waiting import await_dataset
from trainer.stopping import Stop, stop_on_signals

_log = logging.getLogger("trainer")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code (``experiment.errors``)."""
    given = arguments.parse_arguments(argv)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("trainer").setLevel(logging.INFO)  # ours: what libraries say below a warning is not for the user
    return report_errors(lambda: _run(given))


def _run(given: argparse.Namespace) -> int:
    if environment.IGNORED:
        _log.info("ignored from the environment: %s", environment.IGNORED)
    if given.prepare or given.verify_resume:
        with interrupted_by_signals():
            return _prepare(given.prepare, given.store) if given.prepare else _verify_resume()
    stop = Stop()
    stop_on_signals(stop)
    if given.await_dataset:
        return await_dataset(open_store(given.store), given.await_dataset, given.await_seconds, stop)
    return _train(given, stop)


def _prepare(names: Sequence[str], url: str) -> int:
    from trainer.datasets import prepare_dataset
    from trainer.datasets.overrides import find_misspelt

    for variable, near in find_misspelt(os.environ).items():
        _log.warning("ignored from the environment: %s; did you mean %s?", variable, near)
    store = open_store(url, create=True)
    for name in names:
        manifest = prepare_dataset(name, store)
        print(f"{name}: {manifest.train} training and {manifest.test} test images in {store.url}/{manifest.key}")
    return 0


def _verify_resume() -> int:
    from trainer.verify_resume import verify_resume

    return verify_resume()


def _train(given: argparse.Namespace, stop: Stop) -> int:
    store, run = open_run(given.run)
    index = None if given.indexes else resolve_index(store, run, given.index, given.job)
    import_packages("trainer", "tensorflow", "keras", "safetensors")  # takes seconds: only for input that is good
    from trainer import process

    options = process.attempt_options(store, run, stop, tensorboard=given.tensorboard)
    if index is None:
        return process.run_warm_worker(run, sys.stdin, sys.stdout, stop, options)
    return process.train_one_cell(run, index, stop, options)


if __name__ == "__main__":
    run_program(main)
