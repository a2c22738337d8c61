"""The engine is the trainer's one way to TensorFlow: what surrounds the training runs without it."""

from __future__ import annotations

import subprocess
import sys

from trainer.engine import TENSORFLOW
from trainer.model import device

WITHOUT = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
import trainer.attempt, trainer.process
"""


def test_an_attempt_needs_no_tensorflow_before_it_trains():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=100)

    assert done.returncode == 0, done.stderr


def test_tensorflow_says_on_what_it_trains():
    assert TENSORFLOW.device_name() == device.device_name()
    assert set(device.PACKAGES) < set(TENSORFLOW.package_versions())
