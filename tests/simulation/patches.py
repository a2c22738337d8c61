"""What of the surroundings is replaced while a world runs: clocks, threads, and the slow encoding of Parquet and YAML."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock

import pyarrow as pa

from experiment import hold, parallel, records, results, retry, s3
from experiment.errors import InvalidInput
from experiment.outage import Patience
from k8s.cluster import observe, submit
from k8s.manifests import render, template
from tests.simulation.kernel import Kernel, Process, Task
from tests.simulation.world import World
from trainer import attempt, background, process, watcher
from trainer.datasets import waiting

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Calendar:
    """Stands for ``datetime``: the time that the clock of the running process shows."""

    fromisoformat = staticmethod(datetime.fromisoformat)

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self, zone: Any) -> datetime:
        return BEGIN + timedelta(seconds=self._kernel.now + self._kernel.current.process.skew)


class Pool:
    """Stands for a ``ThreadPoolExecutor`` of one thread: its work is done by tasks of the process, in turn."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._tasks = kernel, list[Task]()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Promise:
        owner: Process = self._kernel.current.process
        before = self._tasks[-1] if self._tasks else None

        def work() -> Any:
            if before:
                self._kernel.join(before)
            return function(*arguments)

        self._tasks.append(self._kernel.spawn(owner, work))
        return Promise(self._kernel, self._tasks[-1])

    def shutdown(self) -> None:
        for task in self._tasks:
            self._kernel.join(task)


class Promise:
    """Stands for a ``Future``."""

    def __init__(self, kernel: Kernel, task: Task) -> None:
        self._kernel, self._task = kernel, task

    def done(self) -> bool:
        return self._task.done

    def result(self) -> Any:
        return self._kernel.join(self._task)


class Threads:
    """Stands for the module ``threading``: threads are tasks, and events are waited for in simulated time."""

    def __init__(self, kernel: Kernel) -> None:
        self.Event = functools.partial(Event, kernel)
        self.Thread = functools.partial(Thread, kernel)


class Event:
    """Stands for ``threading.Event``."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._set = kernel, False
        self._waiting: list[Task] = []

    def set(self) -> None:
        self._set = True
        for task in self._waiting:
            self._kernel.wake(task)
        self._waiting = []

    def wait(self, seconds: float) -> bool:
        if not self._set:
            self._waiting.append(self._kernel.current)
            self._kernel.sleep(seconds)
            self._waiting = [t for t in self._waiting if t is not self._kernel.current]
        return self._set


class Thread:
    """Stands for ``threading.Thread``."""

    def __init__(self, kernel: Kernel, *, target: Callable[..., Any], args: Any, daemon: bool) -> None:
        self._kernel, self._function = kernel, functools.partial(target, *args)

    def start(self) -> None:
        self._task = self._kernel.spawn(self._kernel.current.process, self._function)

    def join(self) -> None:
        self._kernel.join(self._task)


def noted_attempt(kernel: Kernel) -> Callable[..., str]:
    """Returns ``attempt_cell``, which notes what it says."""

    def attempt_cell(cell: Any, options: Any) -> str:
        pod = kernel.current.process.pod
        pod.said = ""  # of an attempt that is killed nothing is known, whatever the pod's earlier ones said
        pod.said = attempt.attempt_cell(cell, options)
        return pod.said

    return attempt_cell


class InTurn:
    """Stands for the threads that read many objects: they are read in turn."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [function(item) for item in items]


def table_bytes(table: pa.Table) -> bytes:
    """The table in Arrow's own form, which takes a twentieth of Parquet's time."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def table_of(data: bytes, name: str, source: str, known: Any = None) -> pa.Table:
    """The table that ``table_bytes`` wrote."""
    try:
        return pa.ipc.open_stream(data).read_all()
    except pa.ArrowException as error:
        raise InvalidInput(f"{source} is not a table") from error


@functools.cache
def _rendered(name: str, values: str) -> Any:
    return template.fill_document(name, json.loads(values))


def fill_document(name: str, values: Any) -> Any:
    """The template, filled once for the same values: nobody changes a manifest."""
    return _rendered(name, json.dumps(values, sort_keys=True))


def job_differences(wanted: Any, found: Any) -> list[str]:
    """Whether two Jobs differ in what decides their work; a run has the same settings in all of its launches."""
    return [] if wanted["spec"]["template"] == found["spec"]["template"] else ["template"]


@contextlib.contextmanager
def surroundings(world: World) -> Iterator[None]:
    """Lets the suite's code run in a world."""
    kernel = world.kernel
    clock = SimpleNamespace(monotonic=lambda: kernel.now, sleep=kernel.sleep, time=lambda: kernel.now)
    patience = functools.partial(Patience, clock=clock.monotonic, sleep=kernel.sleep)
    calendar = Calendar(kernel)
    replaced = [
        (records, "datetime", calendar),
        (observe, "datetime", calendar),
        (
            s3,
            "machine_locks",
            lambda _: Path(tempfile.gettempdir(), f"simulated-{os.getpid()}", kernel.current.process.machine),
        ),
        (watcher, "time", clock),
        (waiting, "time", clock),
        (attempt, "Patience", patience),
        (process, "Patience", patience),
        (process, "time", clock),
        (process, "CellWatch", functools.partial(hold.CellWatch, clock=clock.monotonic)),
        (process, "attempt_cell", noted_attempt(kernel)),
        (hold, "threading", Threads(kernel)),
        (background, "ThreadPoolExecutor", lambda *_, **__: Pool(kernel)),
        (parallel, "ThreadPoolExecutor", lambda *_: InTurn()),
        (retry, "random", SimpleNamespace(uniform=lambda _, high: high)),
        (results, "to_bytes", table_bytes),
        (results, "from_bytes", table_of),
        (render, "fill_document", fill_document),
        (submit, "job_differences", job_differences),
    ]
    with contextlib.ExitStack() as stack:
        for module, name, stand_in in replaced:
            stack.enter_context(mock.patch.object(module, name, stand_in))
        # Another mapping in its place: thousands of changes of the real one, which C reads in other threads, crash a process.
        stack.enter_context(mock.patch.object(os, "environ", {**os.environ, "GIT_COMMIT": "simulated"}))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1.0)  # only one thread has work: a quarter of the time is saved
        yield
