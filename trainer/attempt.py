"""One attempt at a cell: it is held by a lease, resumed, trained and committed, or leaves a record of what ended it."""

from __future__ import annotations

import contextlib
import functools
import traceback

from experiment import keys, records
from experiment.cell import NUMERICS, Cell
from experiment.errors import ExperimentError, Interrupted, describe_error, hide_passwords
from experiment.hold import hold_cell
from experiment.inference import Inference
from experiment.lease import HeldLease, LeaseLost
from experiment.outage import Patience
from experiment.provenance import Provenance
from experiment.records import Failure, utc_now
from experiment.store import Store
from trainer import checkpoint, commit, stalling
from trainer.log import Log
from trainer.model.architecture import count_costs
from trainer.model.types import Figures, OnEpochEnd, Snapshot
from trainer.options import AttemptOptions
from trainer.origins import extend_origins
from trainer.teaching import read_teacher
from trainer.watcher import Watcher


def attempt_cell(cell: Cell, options: AttemptOptions) -> str:
    """Tries the cell; returns ``committed``, ``found`` or ``held``.

    Found means that another attempt committed the cell; held, that another process is training it, perhaps after this one
    had stalled. Any other end is raised as an error, after a failure record was put into the store, if the store still works.

    Raises:
        InvalidInput, Diverged, Transient, Interrupted: as ``experiment.errors`` says.
    """
    store, log = options.store, Log(cell.id, options.attempt)
    patience = Patience(seconds=options.outage_seconds, stopping=options.stopping, say=log.say)
    with contextlib.ExitStack() as stack:
        lease = patience.wait_out(lambda: stack.enter_context(hold_cell(store, cell.id, options.holder)))
        done = patience.wait_out(lambda: store.exists(keys.epochs(cell)))
        if done and lease:
            commit.tidy_up(store, cell, log.say)
        if done or lease is None:
            return "found" if done else "held"
        return _train_held(cell, options, log, lease, patience)


def _train_held(cell: Cell, options: AttemptOptions, log: Log, lease: HeldLease, patience: Patience) -> str:
    watcher = Watcher(cell, options, log, lease.check)
    try:
        return _train(cell, options, log, watcher, patience)
    except LeaseLost as loss:
        log.say(f"given up: {describe_error(loss)}")
        return "held"
    except BaseException as error:
        _leave_record(cell, options, log, error, watcher.epoch)
        raise
    finally:
        _keep_log(options.store, cell, options.attempt, log)


def _train(cell: Cell, options: AttemptOptions, log: Log, watcher: Watcher, patience: Patience) -> str:
    started = utc_now()
    snapshot = patience.wait_out(lambda: checkpoint.newest_checkpoint(options.store, cell.id, log.say))
    step = snapshot.step if snapshot else 0
    patience.wait_out(lambda: stalling.record_start(options.store, cell, options.attempt, step))
    teacher = {} if snapshot else patience.wait_out(lambda: read_teacher(options.store, cell))
    data = patience.wait_out(lambda: options.load(cell))
    log.say("resumed" if step else "started", step=step, device=options.engine.device_name(), dataset=data.sha256[:16])
    options.engine.rehearse_export()
    watcher.origins = extend_origins(snapshot, options)
    summarise = _summarise(cell, options, snapshot, watcher, patience) if options.tensorboard else lambda *_: None
    with watcher:
        result = options.engine.train_cell(cell, data, watcher, summarise, snapshot, teacher, jit=options.jit)
    inference = _measure_inference(cell, options, log)
    provenance = Provenance(
        attempt=options.attempt,
        numerics=NUMERICS,
        git_commit=options.git_commit,
        image=options.image,
        device=options.engine.device_name(),
        arithmetic=result.arithmetic,
        packages=options.engine.package_versions(),
        dataset_sha256=data.sha256,
        deterministic=options.deterministic,
        started=started,
        ended=utc_now(),
        resumed_from_step=step,
        training_seconds=sum(epoch[0]["seconds"] for epoch in result.figures),
        peak_memory_bytes=options.engine.peak_memory_bytes(),
        inference=inference,
        processor=options.engine.processor_name(),
        trained_on=watcher.origins,
    )
    store, engine = options.store, options.engine
    with options.finish_first():
        ours = patience.wait_out(lambda: commit.commit_cell(store, cell, result, provenance, log.say, engine))
    last = {m: f"{100 * row['test_error']:.2f}%" for m, row in zip(cell.models, result.figures[-1], strict=True)}
    log.say("committed" if ours else "another attempt's result stands", **last)
    return "committed" if ours else "found"


def _measure_inference(cell: Cell, options: AttemptOptions, log: Log) -> Inference:
    """Returns what inference takes, without speeds where they cannot be measured, or the process is told to stop."""
    counts = count_costs(cell)
    try:
        speeds = {} if options.stopping() else options.engine.measure_speeds(cell, options.stopping)
    except Exception as error:  # noqa: BLE001 - whatever it is, a cell that is trained is committed
        log.say(f"the speed of inference was not measured: {describe_error(error)}")
        speeds = {}
    return {model: {**counts[model], **speeds.get(model, {})} for model in counts}


def _summarise(
    cell: Cell, options: AttemptOptions, snapshot: Snapshot | None, watcher: Watcher, patience: Patience
) -> OnEpochEnd:
    from trainer.model import program, signature  # of TensorFlow, as the summaries are
    from trainer.summaries import Summaries

    summaries = Summaries(options.store, cell, options.attempt)
    form = signature.program_signature(cell, signature.cell_arithmetic(cell, snapshot))
    patience.wait_out(lambda: summaries.put_graph(program.compiled_program(form, jit=options.jit)))
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
        traceback="" if foreseen else hide_passwords("".join(traceback.format_exception(error))),
    )
    log.say(failure.message, kind=failure.kind, traceback=failure.traceback)
    try:
        options.store.put(keys.failure(cell.id, options.attempt), records.to_bytes(failure))
        options.store.delete(keys.progress(cell.id))
        if meaning is not Interrupted:
            stalling.forget_starts(options.store, cell)
    except ExperimentError as second:
        log.say(f"the failure record could not be kept: {describe_error(second)}")


def _keep_log(store: Store, cell: Cell, name: str, log: Log) -> None:
    try:
        store.put(keys.log(cell.id, name), log.to_bytes())
    except ExperimentError as error:
        log.say(f"the log could not be kept: {describe_error(error)}")
