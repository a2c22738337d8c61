"""The launcher with the fakes in place of trainer and aggregator, as a program that can be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from experiment.program import run_program
from k8s.launch import main
from k8s.local.programs import Programs

HERE = Path(__file__).parent
FAKES = Programs(
    trainer=(sys.executable, str(HERE / "fake_trainer.py")),
    aggregator=(sys.executable, str(HERE / "fake_aggregator.py")),
)

if __name__ == "__main__":
    run_program(lambda: main(programs=FAKES))
