"""A run as the trainer sees it: its frozen grid, its store, and this process's attempts at its cells."""

from __future__ import annotations

import dataclasses
import functools
import os
import threading
import uuid
from typing import IO

from experiment import records
from experiment.assignment import read_assignment
from experiment.cell import refuse
from experiment.errors import Interrupted
from experiment.frozen import Frozen, read_run
from experiment.store import open_store, split_run
from trainer import arguments, datasets, device, worker
from trainer.attempt import Setting, attempt


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One run and what this process shares between its attempts."""

    frozen: Frozen
    setting: Setting
    stop: threading.Event

    @classmethod
    def open(cls, url: str, stop: threading.Event) -> Run:
        """The run at ``STORE/runs/RUN``, with the device prepared."""
        place, name = split_run(url)
        store = open_store(place)
        frozen = read_run(store, name)
        setting = Setting(
            store=store,
            attempt=arguments.attempt_name(os.environ),
            load=functools.lru_cache(maxsize=1)(functools.partial(datasets.load, store)),
            stopping=stop.is_set,
            checkpoint_seconds=arguments.checkpoint_seconds(os.environ),
            git_commit=os.environ.get("GIT_COMMIT") or frozen.provenance.get("git_commit", "unknown"),
            image=os.environ.get("IMAGE", ""),
            jit=device.prepare(),
        )
        return cls(frozen=frozen, setting=setting, stop=stop)

    def one(self, index: int, job: str | None) -> int:
        """Tries one cell: 0 when it is committed, by whomever."""
        if job:
            index = read_assignment(self.setting.store, self.frozen.run, job).grid_index(index)
        count = len(self.frozen.grid.cells)
        if not 0 <= index < count:
            raise refuse(f"the index in run {self.frozen.run}", index, f"0 to {count - 1}", "correct --index")
        while attempt(self.frozen.grid.cells[index], self.setting) == "held":
            if self.stop.wait(2):
                raise Interrupted("told to stop while another process of this machine trained the cell")
        return 0

    def serve(self, lines: IO[str], out: IO[str]) -> int:
        """Tries the cells whose indexes come in on ``lines`` until ``quit``; each attempt has a name of its own."""

        def show(progress: records.Progress) -> None:
            out.write(records.to_line(progress) + "\n")
            out.flush()

        def try_index(index: int) -> str:
            name = f"{self.setting.attempt[:24]}-{uuid.uuid4().hex[:8]}"
            return attempt(self.frozen.grid.cells[index], dataclasses.replace(self.setting, attempt=name, show=show))

        worker.serve(self.frozen, lines, out, self.stop, try_index)
        return 0
