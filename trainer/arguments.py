"""The trainer's command line and environment variables, read and checked in one place."""

from __future__ import annotations

import argparse
import math
import os
import uuid
from collections.abc import Mapping, Sequence

from experiment.datasets import DATASETS
from experiment.errors import refuse
from experiment.program import CommandLine, parse_seconds


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Returns the arguments; exits with 2 and one line if they do not fit together."""
    parser = CommandLine(prog="python -m trainer", description="Trains cells, prepares data sets, or waits for one.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--run", metavar="URL", help="train cells of this run, STORE/runs/RUN")
    mode.add_argument(
        "--prepare", nargs="+", choices=DATASETS, metavar="NAME", help="prepare these data sets in --store"
    )
    mode.add_argument("--await-dataset", choices=DATASETS, metavar="NAME", help="wait until --store has this data set")
    mode.add_argument(
        "--verify-resume",
        action="store_true",
        help="show on this machine that a cell that is killed and resumed ends bit-identical",
    )
    parser.add_argument("--store", metavar="URL", help="the store of --prepare or --await-dataset")
    parser.add_argument("--index", type=int, help="index of the cell to train (JOB_COMPLETION_INDEX)")
    parser.add_argument("--job", help="name of the Job whose assignment maps the index to a cell")
    parser.add_argument("--indexes", choices=["-"], help="read indexes from standard input, as a warm worker")
    parser.add_argument("--tensorboard", action="store_true", help="put summaries for TensorBoard into the store")
    parser.add_argument(
        "--await-seconds",
        type=parse_seconds,
        default=3600.0,
        metavar="S",
        help="seconds after which --await-dataset gives up (3600)",
    )
    arguments = parser.parse_args(argv)
    if (arguments.prepare or arguments.await_dataset) and not arguments.store:
        parser.error("--prepare and --await-dataset need --store URL")
    if arguments.indexes and (arguments.job or arguments.index is not None):
        parser.error("--indexes - takes neither --index nor --job")
    if arguments.run and not arguments.indexes and arguments.index is None:
        arguments.index = _completion_index(parser, os.environ)
    return arguments


def _completion_index(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> int:
    given = environ.get("JOB_COMPLETION_INDEX", "")
    if not given.isascii() or not given.isdigit():
        parser.error(f"give --index N or JOB_COMPLETION_INDEX (it is {given!r})")
    return int(given)


def attempt_name(environ: Mapping[str, str]) -> str:
    """Returns the attempt's name: ``ATTEMPT``, which is the pod's UID in a cluster, or a new one."""
    given = environ.get("ATTEMPT") or uuid.uuid4().hex
    if not given.replace("-", "").replace("_", "").isalnum() or len(given) > 64:
        raise refuse("ATTEMPT", given, "up to 64 letters, digits, '-' and '_'", "correct or unset it")
    return given


def is_unattended(arguments: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Returns whether a pod or the launcher has started the program: a person who has started it is to see errors at once."""
    return bool(arguments.indexes or environ.get("ATTEMPT"))


def checkpoint_seconds(environ: Mapping[str, str]) -> float:
    """Returns the seconds between two checkpoints: ``CHECKPOINT_SECONDS``, 60 by default."""
    return _seconds(environ, "CHECKPOINT_SECONDS", "60")


def outage_seconds(environ: Mapping[str, str]) -> float:
    """Returns the seconds of the longest outage of the store that is waited out: ``OUTAGE_SECONDS``, 1800 by default."""
    return _seconds(environ, "OUTAGE_SECONDS", "1800")


def _seconds(environ: Mapping[str, str], name: str, default: str) -> float:
    given = environ.get(name, default)
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise refuse(name, given, "seconds of at least 0", "correct or unset it")
    return seconds


def is_deterministic(environ: Mapping[str, str]) -> bool:
    """Returns whether operations must be deterministic: ``DETERMINISTIC``, 1 by default. 0 gives up bit-identical resume."""
    given = environ.get("DETERMINISTIC", "1")
    if given not in ("0", "1"):
        raise refuse("DETERMINISTIC", given, "1 or 0", "correct or unset it")
    return given == "1"
