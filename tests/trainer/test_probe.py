"""The probe says how many GPUs TensorFlow can compute on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_without_a_gpu_the_last_line_is_zero():
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "7"}  # one that is named and not there
    command = [sys.executable, "-m", "trainer.probe"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=200)

    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["0"])
