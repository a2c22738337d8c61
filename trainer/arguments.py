"""The trainer's command line and environment variables, read and checked in one place."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiment.errors import refuse
from experiment.lease import Holder
from experiment.outage import parse_seconds_of
from experiment.places import GPU_WORKERS, MOST_WORKERS, Place
from experiment.program import CommandLine, parse_seconds

FORMATS = {
    "litert": ".tflite",
    "litert-int8": ".int8.tflite",
    "onnx": ".onnx",
    "savedmodel": "",
}  # of --export, with their files' suffixes
PROGRAM = (sys.executable, "-m", "trainer")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Returns the arguments; exits with 2 and one line if they do not fit together."""
    parser = CommandLine(prog="python -m trainer", description="Trains cells, prepares data sets, or waits for one.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--run", metavar="URL", help="train cells of this run, STORE/runs/RUN")
    mode.add_argument("--prepare", nargs="+", metavar="NAME", help="prepare these data sets in --store")
    mode.add_argument("--await-dataset", metavar="NAME", help="wait until --store has this data set")
    mode.add_argument(
        "--verify-resume",
        action="store_true",
        help="show on this machine that a cell that is killed and resumed ends bit-identical",
    )
    mode.add_argument(
        "--export",
        nargs=3,
        metavar=("STORE", "CELL", "MEMBER"),
        help="write a trained member as a file for phones or servers (--to)",
    )
    mode.add_argument(
        "--pack", type=Path, metavar="FOLDER", help="make an .npz file (--out) of pictures, and print its [data.NAME]"
    )
    mode.add_argument("--describe", type=Path, metavar="FILE", help="print the [data.NAME] of an .npz file of images")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="height and width of the images of --pack")
    parser.add_argument("--grey", action="store_true", help="drop the colours of --pack")
    parser.add_argument("--to", choices=FORMATS, help="the format of --export")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="where --pack writes, and --export (CELL-MEMBER and the format's suffix)",
    )
    parser.add_argument("--store", metavar="URL", help="the store of --prepare or --await-dataset")
    parser.add_argument("--grid", metavar="FILE", help="the grid file whose [data.NAME] --prepare prepares")
    parser.add_argument("--index", type=int, help="index of the cell to train (JOB_COMPLETION_INDEX)")
    parser.add_argument("--job", help="name of the Job whose assignment maps the index to a cell")
    parser.add_argument("--indexes", choices=["-"], help="read indexes from standard input, as a warm worker or a pool")
    parser.add_argument(
        "--workers",
        type=_parse_count,
        default=0,
        metavar="N",
        help="be a pool: train the cells, of the index or from standard input, in so many warm workers",
    )
    parser.add_argument(
        "--threads", type=_parse_count, metavar="N", help="threads of each worker (its share of the cores)"
    )
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
    if arguments.grid and not arguments.prepare:
        parser.error("--grid FILE is of --prepare NAME")
    if bool(arguments.export) != bool(arguments.to) or (arguments.out and not (arguments.export or arguments.pack)):
        parser.error(f"--export STORE CELL MEMBER needs --to {'|'.join(FORMATS)}, and --to needs --export")
    if arguments.pack and not (arguments.size and arguments.out):
        parser.error("--pack FOLDER needs --size PIXELS and --out FILE.npz")
    if arguments.indexes and not arguments.job and arguments.index is not None:
        parser.error("--indexes - takes --index only with --job: as a worker of that index's pod")
    if arguments.workers and (not arguments.run or (arguments.indexes and arguments.job)):
        parser.error("--workers N trains cells of --run: those of --index or --job, or those of --indexes -")
    if arguments.threads and not arguments.workers:
        parser.error("--threads N is of the workers of --workers N")
    if arguments.run and (arguments.job or not arguments.indexes) and arguments.index is None:
        arguments.index = _completion_index(parser, os.environ)
    return arguments


def _parse_count(text: str) -> int:
    if not _is_worker_count(text):
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: 1 to {MOST_WORKERS}; correct it")
    return int(text)


def _is_worker_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_WORKERS


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


def cell_holder(arguments: argparse.Namespace, run: str, environ: Mapping[str, str]) -> Holder:
    """Returns who this process is for those who wait for its cells: a completion index of a Job, or a machine.

    ``JOB_UID`` is the UID of the pod's Job. The next pod of the same index takes over at once.
    """
    uid = environ.get("JOB_UID")
    if not uid or not arguments.job:
        return Holder(name=f"run {run} on {socket.gethostname()}")
    name = f"run {run}, Job {arguments.job}, index {arguments.index}"
    return Holder(name=name, seat=f"{uid}/{arguments.index}")


def worker_command(arguments: argparse.Namespace) -> list[str]:
    """Returns the command of a warm worker of the pool that these arguments describe."""
    job = ["--job", arguments.job, "--index", str(arguments.index)] if arguments.job else []
    more = ["--tensorboard"] if arguments.tensorboard else []
    return [*PROGRAM, "--run", arguments.run, *job, "--indexes", "-", *more]


def worker_environ(environ: Mapping[str, str], place: Place, attempt: str) -> dict[str, str]:
    """Returns the environment of a pool's worker: its place, and the pool's attempt."""
    return {**environ, **place.env, "ATTEMPT": attempt}


def name_try(attempt: str, *, of_pod: bool) -> str:
    """Returns the name of an attempt at a cell: the pod's, which tries a cell once, or a new one for each."""
    return attempt if of_pod else f"{attempt[:24]}-{uuid.uuid4().hex[:8]}"


def gpu_workers(environ: Mapping[str, str]) -> int:
    """Returns how many processes share this one's GPU, each within its part of the memory: ``GPU_WORKERS``, 1 by default."""
    given = environ.get(GPU_WORKERS, "1")
    if not _is_worker_count(given):
        raise refuse(GPU_WORKERS, given, f"1 to {MOST_WORKERS}", "correct or unset it")
    return int(given)


def is_unattended(arguments: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Returns whether a pod or the launcher has started the program: a person who has started it is to see errors at once."""
    return bool(arguments.indexes or environ.get("ATTEMPT"))


def checkpoint_seconds(environ: Mapping[str, str]) -> float:
    """Returns the seconds between two checkpoints: ``CHECKPOINT_SECONDS``, 60 by default."""
    return parse_seconds_of(environ, "CHECKPOINT_SECONDS", 60.0)


def is_deterministic(environ: Mapping[str, str]) -> bool:
    """Returns whether operations must be deterministic: ``DETERMINISTIC``, 1 by default. 0 gives up bit-identical resume."""
    given = environ.get("DETERMINISTIC", "1")
    if given not in ("0", "1"):
        raise refuse("DETERMINISTIC", given, "1 or 0", "correct or unset it")
    return given == "1"
