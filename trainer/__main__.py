"""``python -m trainer``: trains cells of a run, prepares data sets, waits for one, or verifies that cells resume exactly."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

from experiment.assignment import resolve_index
from experiment.errors import ExperimentError, describe_error
from experiment.run import open_run
from experiment.store import open_store
from trainer import arguments
from trainer.datasets.waiting import await_dataset


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code (``experiment.errors``)."""
    given = arguments.parse_arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        if given.prepare:
            return _prepare(given.prepare, given.store)
        if given.await_dataset:
            return await_dataset(open_store(given.store), given.await_dataset, given.await_seconds, stop)
        if given.verify_resume:
            return _verify_resume()
        return _train(given, stop)
    except ExperimentError as error:
        print(f"error: {describe_error(error)}", file=sys.stderr)
        return error.exit_code


def _prepare(names: Sequence[str], url: str) -> int:
    from trainer.datasets import prepare_dataset

    store = open_store(url, create=True)
    for name in names:
        manifest = prepare_dataset(name, store)
        print(f"{name}: {manifest.train} training and {manifest.test} test images in {store.url}/{manifest.key}")
    return 0


def _verify_resume() -> int:
    from trainer.verify_resume import verify_resume

    return verify_resume()


def _train(given: argparse.Namespace, stop: threading.Event) -> int:
    store, run = open_run(given.run)
    index = None if given.indexes else resolve_index(store, run, given.index, given.job)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow at import; its errors are raised anyway
    from trainer import process  # imports TensorFlow, which takes seconds: only for input that is known to be good

    options = process.attempt_options(store, run, stop, tensorboard=given.tensorboard)
    if index is None:
        return process.run_warm_worker(run, sys.stdin, sys.stdout, stop, options)
    return process.train_one_cell(run, index, stop, options)


if __name__ == "__main__":
    sys.exit(main())
