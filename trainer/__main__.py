"""``python -m trainer``: trains cells of a run, prepares data sets, waits for one, exports members, or verifies resuming."""

from __future__ import annotations

import argparse
import functools
import logging
import os
import sys
from collections.abc import Sequence

from experiment.assignment import resolve_indexes
from experiment.errors import refuse
from experiment.interrupts import interrupted_by_signals
from experiment.needs import import_packages
from experiment.outage import Patience, outage_seconds
from experiment.program import report_errors, run_program
from experiment.run import open_run
from experiment.store import open_store
from trainer import arguments, environment
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
    if given.verify_resume:
        with interrupted_by_signals():
            return _verify_resume()
    if given.export:
        with interrupted_by_signals():
            return _export(given)
    if given.pack or given.describe:
        with interrupted_by_signals():
            return _describe(given)
    stop = Stop()
    patience = Patience(
        seconds=outage_seconds(os.environ) if arguments.is_unattended(given, os.environ) else 0,
        stopping=stop.is_set,
        say=_log.warning,
    )
    if given.prepare:
        with interrupted_by_signals():
            return _prepare(given, patience)
    stop_on_signals(stop)
    if given.await_dataset:
        from trainer.datasets.waiting import await_dataset

        store = patience.wait_out(lambda: open_store(given.store))
        return await_dataset(store, given.await_dataset, given.await_seconds, stop)
    return _train(given, stop, patience)


def _prepare(given: argparse.Namespace, patience: Patience) -> int:
    from experiment.grid import load_grid
    from trainer.datasets import prepare_dataset
    from trainer.datasets.overrides import find_misspelt
    from trainer.rights import check_rights

    for variable, near in find_misspelt(os.environ).items():
        _log.warning("ignored from the environment: %s; did you mean %s?", variable, near)
    own = load_grid(given.grid).own_data if given.grid else {}
    store = patience.wait_out(lambda: open_store(given.store, create=True))
    patience.wait_out(lambda: check_rights(store))
    for name in given.prepare:
        prepare = functools.partial(prepare_dataset, name, store, own=own.get(name))
        manifest = patience.wait_out(prepare)
        print(f"{name}: {manifest.train} training and {manifest.test} test images in {store.url}/{manifest.key}")
    return 0


def _describe(given: argparse.Namespace) -> int:
    from trainer.datasets.describe import describe_file, format_block

    if given.describe:
        print(format_block(given.describe, describe_file(given.describe)), end="")
        return 0
    from trainer.datasets.pack import pack_folder, write_packed

    packed = pack_folder(given.pack, given.size, grey=given.grey)
    for line in packed.unread:
        _log.warning("left out: %s", line)
    write_packed(packed, given.out)
    print(format_block(given.out, describe_file(given.out), packed.classes), end="")
    return 0


def _export(given: argparse.Namespace) -> int:
    url, cell, member = given.export
    store = open_store(url)
    import_packages("trainer", "tensorflow", "keras")
    if given.to == "onnx":
        import_packages("onnx", "tf2onnx", "onnxruntime")
    from trainer.conversion import convert_member
    from trainer.model import formats

    formats.use_one_thread()
    convert_member(store, cell, member, given.to, given.out, print)
    return 0


def _verify_resume() -> int:
    from trainer.verify_resume import verify_resume

    return verify_resume()


def _train(given: argparse.Namespace, stop: Stop, patience: Patience) -> int:
    store, run = patience.wait_out(lambda: open_run(given.run))
    indexes = () if given.indexes else patience.wait_out(lambda: resolve_indexes(store, run, given.index, given.job))
    if given.workers:
        from trainer import pooling

        if given.indexes:
            return pooling.serve_launcher(given, store, run, stop, patience)
        return pooling.train_index(given, store, run, indexes, stop, patience)
    if len(indexes) > 1:
        what = f"the number of cells of index {given.index} of Job {given.job}"
        raise refuse(what, len(indexes), "1 without --workers", "give --workers 1")
    import_packages("trainer", "tensorflow", "keras", "safetensors")  # takes seconds: only for input that is good
    from trainer import process

    holder = arguments.cell_holder(given, run.name, os.environ)
    options = process.attempt_options(store, run, stop, holder=holder, tensorboard=given.tensorboard)
    if given.indexes:
        return process.run_warm_worker(run, sys.stdin, sys.stdout, stop, options, of_pod=bool(given.job))
    return process.train_one_cell(run, indexes[0], stop, options)


if __name__ == "__main__":
    run_program(main)
