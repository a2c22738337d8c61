"""How every program of the suite begins and ends: its output, its warnings, its errors and its exit code."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

from experiment.console import escape_unprintable_output
from experiment.errors import ExperimentError, Interrupted, Transient, describe_error
from experiment.interrupts import end_interrupted_process

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})  # of the file that the output goes to


class CommandLine(argparse.ArgumentParser):
    """A program's flags. What is wrong with those given is one line: the usage, many lines of all flags, is for ``--help``."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see --help\n")


def parse_seconds(text: str) -> float:
    """Returns the seconds that a flag gives: a number of at least 0, or ``inf``."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:  # not a number is not below it
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: seconds of at least 0; correct it")
    return seconds


def run_program(main: Callable[[], int]) -> NoReturn:
    """Runs a program and leaves it with the exit code that ``main`` returns."""
    escape_unprintable_output()
    keep_warnings_harmless()
    code = main()
    if code == Interrupted.exit_code:
        end_interrupted_process()
    sys.exit(code)


def report_errors(work: Callable[[], int]) -> int:
    """Runs a program's work and returns its exit code; prints a foreseen error as one line on stderr."""
    try:
        code = work()
        if sys.stdout:  # there is none where the caller has closed it
            sys.stdout.flush()
        return code
    except ExperimentError as error:
        with contextlib.suppress(BrokenPipeError):  # nobody may be reading any more
            print(f"error: {describe_error(error)}", file=sys.stderr, flush=True)
        return error.exit_code
    except BrokenPipeError:  # `| head` has seen enough
        _drop_output()
        return 0
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:  # the stores translate what files of theirs raise
            raise
        _drop_output()
        advice = "free space where it goes, then run the same command again"
        print(f"error: the output cannot be written: {error.strerror}; {advice}", file=sys.stderr)
        return Transient.exit_code


def _drop_output() -> None:
    """Sends what is still to be printed nowhere: Python would try once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def keep_warnings_harmless() -> None:
    """Has warnings printed where PYTHONWARNINGS or -W would raise them: a library's warning must not end a program."""
    if any(action == "error" for action, *_ in warnings.filters):
        warnings.simplefilter("default")
