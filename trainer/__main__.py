"""``python -m trainer``: trains cells of a run, prepares data sets, waits for one, or verifies that cells resume exactly."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from experiment.assignment import resolve_index
from experiment.console import escape_unprintable_output
from experiment.errors import ExperimentError, Interrupted, describe_error
from experiment.interrupts import end_on_signals
from experiment.needs import import_packages
from experiment.run import open_run
from experiment.store import open_store
from trainer import arguments, environment
from trainer.datasets.waiting import await_dataset
from trainer.stopping import TOLD, Stop, stop_on_signals

_log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code (``experiment.errors``)."""
    given = arguments.parse_arguments(argv)
    environment.keep_warnings_harmless()
    escape_unprintable_output()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    stop = Stop()
    if given.prepare or given.verify_resume:
        end_on_signals(f"error: {TOLD}")
    else:
        stop_on_signals(stop)
    if environment.IGNORED:
        _log.info("ignored from the environment: %s", environment.IGNORED)
    try:
        return _run(given, stop)
    except KeyboardInterrupt:
        return Interrupted.exit_code
    except ExperimentError as error:
        print(f"error: {describe_error(error)}", file=sys.stderr)
        return error.exit_code


def _run(given: argparse.Namespace, stop: Stop) -> int:
    if given.prepare:
        return _prepare(given.prepare, given.store)
    if given.await_dataset:
        return await_dataset(open_store(given.store), given.await_dataset, given.await_seconds, stop)
    if given.verify_resume:
        return _verify_resume()
    return _train(given, stop)


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
    sys.exit(main())
