"""A trainer that does not train, for tests of the local executor: its pool is the real one, its workers only speak the protocol.

FAKE is a JSON object: ``journal`` (a file to which every event is appended), ``seconds`` of a cell, and ``ends``: for
an index, how its attempts end in turn ("transient", "diverged", "kill", "exit", "ok"); after those it commits.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import sys
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from experiment import keys, records
from experiment.errors import KINDS
from experiment.hold import hold_cell
from experiment.lease import Holder
from experiment.program import run_program
from experiment.records import Failure, Outcome, Progress
from experiment.run import read_run
from experiment.store import open_store
from experiment.urls import split_run_url
from experiment.workload import compiled_shape
from tests.factories import commit
from trainer import arguments, dealing
from trainer.__main__ import main as trainer_main
from trainer.worker import tell_launcher

FAKE = {
    "seconds": 0.05,
    "ends": {},
    "prepare": 0,
    "prepare_seconds": 0,
    "start": 0,
    "deaf": False,
    **json.loads(os.environ.get("FAKE", "{}")),
}
STOP = threading.Event()


def journal(**event) -> None:
    if "journal" in FAKE:
        with Path(FAKE["journal"]).open("a") as file:
            file.write(json.dumps({"pid": os.getpid(), **event}) + "\n")


def tries(index: int) -> int:
    lines = Path(FAKE["journal"]).read_text().splitlines() if "journal" in FAKE else ()
    return sum(e["event"] == "begin" and e["index"] == index for e in map(json.loads, lines))


def say(record) -> None:
    tell_launcher(sys.stdout, record, STOP)


def train(store, run: str, index: int) -> Outcome:
    cell = read_run(store, run).grid.cells[index]
    with hold_cell(store, cell.id, Holder(name="a fake trainer")) as lease:
        if lease is None:
            return Outcome(index=index, cell=cell.id, state="held")
        if store.exists(keys.epochs(cell)):
            return Outcome(index=index, cell=cell.id, state="found")
        ends = FAKE["ends"].get(str(index), ())
        number = tries(index)
        end = ends[number] if number < len(ends) else "ok"
        journal(event="begin", index=index, shape=repr(compiled_shape(cell)), threads=os.environ.get("OMP_NUM_THREADS"))
        attempt = uuid.uuid4().hex
        for step in range(1, 11):
            say(
                Progress(
                    cell=cell.id,
                    attempt=attempt,
                    epoch=step,
                    epochs=10,
                    step=step,
                    steps=10,
                    images_per_second=1000.0,
                    seconds_left=1.0,
                    time="2026-01-01T00:00:00+00:00",
                )
            )
            if STOP.wait(FAKE["seconds"] / 10):
                journal(event="stopped", index=index)
                sys.stdout.flush()
                os._exit(143)
        return finish(store, cell, index, end, attempt)


def finish(store, cell, index: int, end: str, attempt: str) -> Outcome:
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if end == "exit":
        print("ImportError: no such thing", file=sys.stderr, flush=True)
        os._exit(1)
    if end != "ok":
        store.put(
            keys.failure(cell.id, attempt),
            records.to_bytes(
                Failure(
                    cell=cell.id,
                    attempt=attempt,
                    kind=end,
                    exit_code=KINDS[end].exit_code,
                    message=f"the cell is {end}",
                    time=datetime.now(UTC).isoformat(),
                )
            ),
        )
        return Outcome(index=index, cell=cell.id, state="failed", kind=end, message=f"the cell is {end}")
    mine = commit(store, cell, attempt)
    journal(event="commit", index=index, mine=mine)
    return Outcome(index=index, cell=cell.id, state="committed" if mine else "found")


def be_pool() -> NoReturn:
    """The trainer's own pool, whose workers are this program."""
    arguments.PROGRAM = (sys.executable, __file__)
    dealing.HELD_SECONDS = 0.05
    run_program(trainer_main)


def main() -> int:
    if "--workers" in sys.argv:
        be_pool()
    parser = argparse.ArgumentParser()
    parser.add_argument("--run")
    parser.add_argument("--indexes")
    parser.add_argument("--prepare")
    parser.add_argument("--tensorboard", action="store_true")
    parser.add_argument("--store")
    given = parser.parse_args()
    if given.prepare:
        journal(event="prepare", name=given.prepare)
        if FAKE["prepare_seconds"]:
            signal.signal(signal.SIGTERM, lambda *_: STOP.set())
            STOP.wait(FAKE["prepare_seconds"])
            journal(event="prepare stopped")
        if FAKE["prepare"]:
            print("error: the archive has a wrong checksum; remove it", file=sys.stderr)
        return FAKE["prepare"]
    if FAKE["start"]:
        print("Traceback\nModuleNotFoundError: no tensorflow", file=sys.stderr)
        return FAKE["start"]
    signal.signal(signal.SIGTERM, lambda *_: FAKE["deaf"] or STOP.set())
    url, run = split_run_url(given.run)
    store = open_store(url)
    asked: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            asked.put(line.strip())
            if line == "quit\n":
                return
        if not FAKE["deaf"]:
            STOP.set()

    threading.Thread(target=listen, daemon=True).start()
    print("a library's chatter", flush=True)
    while not STOP.is_set():
        try:
            word = asked.get(timeout=0.02)
        except queue.Empty:
            continue
        if word == "quit":
            journal(event="quit", tensorboard=given.tensorboard)
            return 0
        say(train(store, run, int(word)))
    journal(event="stopped", index=None)
    return 143


if __name__ == "__main__":
    sys.exit(main())
