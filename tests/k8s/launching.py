"""Runs the launcher in this process and keeps what it prints; checks refusals."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

from k8s.launch import main

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def launch(*argv: object, cwd: Path) -> Done:
    """What the launcher does, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(["--executor", "local", *map(str, argv)])
        except SystemExit as left:
            code = left.code
    return Done(code, out.getvalue(), err.getvalue())


def refused(done: Done, *words: str, code: int = 42) -> None:
    """One line that says what was given, what is allowed, what to do; nothing else on the screen."""
    lines = done.stderr.splitlines()

    assert done.returncode == code
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert "Traceback" not in done.stdout
