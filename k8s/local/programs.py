"""The programs that the local executor runs as processes: this package may not import them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from k8s.local.crew import Crew

HOME = str(Path(__file__).parent.parent.parent)
# Variables of Python can end a program before its first line, keep it from ending (PYTHONINSPECT), or make a library's
# warning an error. Only those below are passed on: they say where Python and its packages are.
PYTHON = "PYTHON"
KEPT = (
    *("PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPYCACHEPREFIX"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONUTF8"),
)
SET = {
    "PYTHONSAFEPATH": "1",  # a random.py or trainer.py in the working directory is not ours
    "PYTHONIOENCODING": "utf-8:backslashreplace",  # as their output is read here
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "agg",
}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The commands of trainer and aggregator, and the variables that they get beside the launcher's own.

    Attributes:
        probe: says how many of the visible GPUs the trainer can use.
    """

    trainer: tuple[str, ...] = (sys.executable, "-m", "trainer")
    aggregator: tuple[str, ...] = (sys.executable, "-m", "aggregator")
    probe: tuple[str, ...] = (sys.executable, "-m", "trainer.probe")
    env: Mapping[str, str] = field(default_factory=dict)
    tensorboard: bool = False

    def train(self, run_url: str, crew: Crew) -> tuple[str, ...]:
        """Returns the command of a pool for the cells of a run."""
        more = ["--tensorboard"] * self.tensorboard
        return (*self.trainer, "--run", run_url, "--indexes", "-", *crew.flags, *more)

    def prepare(self, dataset: str, store_url: str, grid_file: str = "") -> tuple[str, ...]:
        """Returns the command that prepares a data set in the store, or finds it there.

        Args:
            grid_file: that says where the data set lies, if it is one of the user's own.
        """
        more = ("--grid", grid_file) if grid_file else ()
        return (*self.trainer, "--prepare", dataset, "--store", store_url, *more)

    def report(self, run_url: str) -> tuple[str, ...]:
        """Returns the command that makes the report of a run; its last line of output says where the report is."""
        return (*self.aggregator, "--run", run_url)

    def judge(self, run_url: str, seeds: Sequence[int]) -> tuple[str, ...]:
        """Returns the command that judges the claims of a run, and says the chance of a verdict with so many seeds."""
        return (*self.report(run_url), "--judge", *([",".join(map(str, seeds))] if seeds else ()))

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Returns the environment of a program, in which it finds the suite from any working directory."""
        own = {n: v for n, v in os.environ.items() if not n.startswith(PYTHON) or n in KEPT}
        folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        path = os.pathsep.join(filter(None, (HOME, *folders)))  # an empty one would be the working directory
        return {**own, **SET, **self.env, "PYTHONPATH": path, **(more or {})}
