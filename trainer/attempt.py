"""One attempt at a cell: it is claimed, resumed, trained and committed, or leaves a record of what ended it."""

from __future__ import annotations

import contextlib
import functools
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from experiment import keys, records
from experiment.cell import NUMERICS, Cell
from experiment.errors import ExperimentError, describe_error
from experiment.records import Failure, Progress, Provenance, utc_now
from experiment.store import Store
from trainer import checkpoint, commit
from trainer.log import Log
from trainer.model import device, export, training
from trainer.model.program import compiled_program, program_signature
from trainer.model.types import Dataset, Figures, OnEpochEnd, Snapshot
from trainer.outage import Patience
from trainer.summaries import Summaries
from trainer.watcher import Watcher


@dataclass(frozen=True, kw_only=True)
class AttemptOptions:
    """The options that all attempts of a process share.

    Attributes:
        attempt: the attempt's name in records and metadata; unique per process and cell.
        load: returns a data set by name.
        stopping: returns whether the process was told to stop.
        finish_first: a block that is finished although the process is told to stop.
        show: called with the progress about twice a second.
        checkpoint_seconds: time between two checkpoints.
        outage_seconds: longest outage of the store that is waited out before and after the training.
        jit: whether to compile with XLA.
        tensorboard: whether to put summaries for TensorBoard into the store.
    """

    store: Store
    attempt: str
    load: Callable[[str], Dataset]
    stopping: Callable[[], bool]
    finish_first: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    show: Callable[[Progress], None] = lambda _: None
    checkpoint_seconds: float = 60.0
    outage_seconds: float = 0.0
    git_commit: str = "unknown"
    image: str = ""
    deterministic: bool = True
    jit: bool = False
    tensorboard: bool = False
    packages: dict[str, str] = field(default_factory=device.package_versions)


def attempt_cell(cell: Cell, options: AttemptOptions) -> str:
    """Tries the cell; returns ``committed``, ``found`` or ``held``.

    Found means that another attempt committed the cell; held, that another process of this machine is training it. Any
    other end is raised as an error, after a failure record was put into the store, if the store still works.

    Raises:
        InvalidInput, Diverged, Transient, Interrupted: as ``experiment.errors`` says.
    """
    with options.store.claim(cell.id) as held:
        if not held:
            return "held"
        log = Log(cell.id, options.attempt)
        patience = Patience(seconds=options.outage_seconds, stopping=options.stopping, say=log.say)
        if patience.wait_out(lambda: options.store.exists(keys.epochs(cell))):
            patience.wait_out(lambda: commit.remove_leftovers(options.store, cell))
            return "found"
        watcher = Watcher(cell, options, log)
        try:
            return _train(cell, options, log, watcher, patience)
        except BaseException as error:
            _leave_record(cell, options, log, error, watcher.epoch)
            raise
        finally:
            _keep_log(options.store, cell, options.attempt, log)


def _train(cell: Cell, options: AttemptOptions, log: Log, watcher: Watcher, patience: Patience) -> str:
    started = utc_now()
    data = patience.wait_out(lambda: options.load(cell.dataset))
    snapshot = patience.wait_out(lambda: checkpoint.newest_checkpoint(options.store, cell.id, log.say))
    step = snapshot.step if snapshot else 0
    log.say("resumed" if step else "started", step=step, device=device.device_name(), dataset=data.sha256[:16])
    export.rehearse_export()
    summarise = _summarise(cell, options, snapshot, watcher, patience) if options.tensorboard else lambda *_: None
    with watcher:
        result = training.train_cell(
            cell, data, watch=watcher, on_epoch_end=summarise, snapshot=snapshot, jit=options.jit
        )
    provenance = Provenance(
        attempt=options.attempt,
        numerics=NUMERICS,
        git_commit=options.git_commit,
        image=options.image,
        device=device.device_name(),
        arithmetic=result.arithmetic,
        packages=options.packages,
        dataset_sha256=data.sha256,
        deterministic=options.deterministic,
        started=started,
        ended=utc_now(),
        resumed_from_step=step,
        training_seconds=sum(epoch[0]["seconds"] for epoch in result.figures),
        peak_memory_bytes=device.peak_memory_bytes(),
    )
    with options.finish_first():
        ours = patience.wait_out(lambda: commit.commit_cell(options.store, cell, result, provenance, log.say))
    last = {m: f"{100 * row['test_error']:.2f}%" for m, row in zip(cell.models, result.figures[-1], strict=True)}
    log.say("committed" if ours else "another attempt's result stands", **last)
    return "committed" if ours else "found"


def _summarise(
    cell: Cell, options: AttemptOptions, snapshot: Snapshot | None, watcher: Watcher, patience: Patience
) -> OnEpochEnd:
    summaries = Summaries(options.store, cell, options.attempt)
    signature = program_signature(cell, training.cell_arithmetic(cell, snapshot))
    patience.wait_out(lambda: summaries.put_graph(compiled_program(signature, jit=options.jit)))
    for number, known in enumerate(snapshot.figures if snapshot else [], start=1):
        # of earlier attempts, which may not have been asked for summaries
        patience.wait_out(functools.partial(summaries.put_epoch, number, known))

    def put_epoch(epoch: int, figures: Figures) -> None:
        watcher.write(f"the summary of epoch {epoch}", lambda: summaries.put_epoch(epoch, figures))

    return put_epoch


def _leave_record(cell: Cell, options: AttemptOptions, log: Log, error: BaseException, epoch: int) -> None:
    foreseen = isinstance(error, ExperimentError)
    meaning = type(error) if isinstance(error, ExperimentError) else ExperimentError
    failure = Failure(
        cell=cell.id,
        attempt=options.attempt,
        kind=meaning.kind,
        exit_code=meaning.exit_code,
        message=describe_error(error),
        time=utc_now(),
        epoch=epoch,
        traceback="" if foreseen else "".join(traceback.format_exception(error)),
    )
    log.say(failure.message, kind=failure.kind, traceback=failure.traceback)
    try:
        options.store.put(keys.failure(cell.id, options.attempt), records.to_bytes(failure))
        options.store.delete(keys.progress(cell.id))
    except ExperimentError as second:
        log.say(f"the failure record could not be kept: {describe_error(second)}")


def _keep_log(store: Store, cell: Cell, name: str, log: Log) -> None:
    try:
        store.put(keys.log(cell.id, name), log.to_bytes())
    except ExperimentError as error:
        log.say(f"the log could not be kept: {describe_error(error)}")
