"""A warm worker from its parent's side: a process that is played by a few lines of Python."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from experiment.records import Outcome, Progress, to_line
from trainer import warm as warm_module
from trainer.warm import Died, WarmWorker

PROGRESS = Progress(
    cell="c", attempt="a", epoch=0, epochs=1, step=1, steps=2, images_per_second=1.0, seconds_left=1.0, time="t"
)
ANSWER = f"""
import sys
import time
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


def test_one_that_is_told_twice_gets_one_signal(capfd):
    program = f"""
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("told", file=sys.stderr, flush=True))
input()
print({to_line(PROGRESS)!r}, flush=True)
time.sleep(1)
print("the end", file=sys.stderr)
"""
    warm = worker(program)

    def stop_twice(_):
        for _ in range(2):
            warm.stop()
            time.sleep(0.2)

    with pytest.raises(Died):
        warm.train(0, stop_twice)
    warm.end()
    assert capfd.readouterr().err.splitlines() == ["told", "the end"]


def test_one_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(warm_module, "GRACE", 0.2)
    warm = worker("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)")
    warm.end()

    assert warm._process.returncode == -signal.SIGKILL


def test_what_is_no_text_is_passed_over():
    program = f"""
import sys
import time
input()
sys.stdout.buffer.write(b"\\xff\\xfe\\n" + {to_line(Outcome(index=7, cell="c", state="committed"))!r}.encode() + b"\\n")
"""
    warm = worker(program)

    assert warm.train(7, lambda _: None).state == "committed"
    warm.end()
