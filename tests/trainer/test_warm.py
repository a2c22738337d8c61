"""A warm worker from its parent's side: a process that is played by a few lines of Python."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from experiment.records import Outcome, Progress, to_line
from trainer.warm import Died, WarmWorker

PROGRESS = Progress(
    cell="c", attempt="a", epoch=0, epochs=1, step=1, steps=2, images_per_second=1.0, seconds_left=1.0, time="t"
)
ANSWER = f"""
import sys
print("a library's chatter", flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "quit":
        break
    print({to_line(PROGRESS)!r})
    print({to_line(Outcome(index=7, cell="c", state="committed"))!r}.replace("7", word), flush=True)
print("the end", file=sys.stderr)
"""


def worker(program):
    return WarmWorker([sys.executable, "-c", program], os.environ)


def test_it_trains_one_cell_after_another_and_ends_when_it_is_told(capfd):
    shown = []
    warm = worker(ANSWER)

    assert [warm.train(i, shown.append).index for i in (3, 1)] == [3, 1]
    assert shown == [PROGRESS, PROGRESS]
    warm.end()
    assert "the end" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("program", "code", "answered", "words"),
    [
        ("import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL)", -9, False, "SIGKILL (out of memory?)"),
        (
            "import sys; input(); print('error: no such thing', file=sys.stderr); sys.exit(42)",
            42,
            False,
            "no such thing",
        ),
        (f"input(); print({to_line(PROGRESS)!r}, flush=True); raise SystemExit(3)", 3, True, "ended with exit code 3"),
    ],
)
def test_one_that_dies_says_how_and_with_which_last_words(program, code, answered, words):
    warm = worker(program)

    with pytest.raises(Died) as death:
        warm.train(0, lambda _: None)
    assert (death.value.code, death.value.answered) == (code, answered)
    assert words in str(death.value)
    warm.stop()  # of no avail, and no error
    warm.end()


def test_one_that_is_told_to_stop_gets_sigterm():
    program = f"""
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
input()
print({to_line(PROGRESS)!r}, flush=True)
signal.pause()
"""
    warm = worker(program)

    with pytest.raises(Died) as death:
        warm.train(0, lambda _: warm.stop())
    assert death.value.code == 143
    assert signal.Signals(15).name not in str(death.value)
    warm.end()
