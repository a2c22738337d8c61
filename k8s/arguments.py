"""The command line of ``python -m k8s.launch``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from experiment.program import CommandLine
from k8s.manifests import sources


def parse_launch_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Returns the launcher's flags; exits with code 2 and one line if they are wrong."""
    parser = CommandLine(
        prog="python -m k8s.launch",
        description="Trains the cells of a grid that have no result yet, then reports on all of them.",
        allow_abbrev=False,
    )
    parser.add_argument("--grid", required=True, metavar="NAME|PATH.toml", help="a built-in grid or a grid file")
    parser.add_argument("--executor", choices=("kubernetes", "local"), default="kubernetes", help="where to train")
    parser.add_argument(
        "--store", default="store", metavar="URL", help="the store: a directory or s3://BUCKET/PREFIX (./store)"
    )
    parser.add_argument(
        "--run", metavar="RUN", help="the run's name (default: the grid's name and a digest of its cells)"
    )
    parser.add_argument("--plan", action="store_true", help="list the cells and their states; change nothing")
    parser.add_argument("--seeds", type=parse_count, metavar="N", help="train every cell with the seeds 0 to N-1")
    only = "take only the cells whose field has one of these values; a cell must match every --only"
    parser.add_argument("--only", action="append", default=[], metavar="FIELD=VALUE[,VALUE...]", help=only)
    parser.add_argument("--retry-diverged", action="store_true", help="train cells again whose last attempt diverged")
    sources.add_setting_flag(parser, "tensorboard")
    add_local_flags(parser.add_argument_group("with --executor local"))
    add_kubernetes_flags(parser.add_argument_group("with --executor kubernetes"))
    return parser.parse_args(argv)


def add_local_flags(group: argparse._ArgumentGroup) -> None:
    """Adds the flags of the local executor."""
    workers = "worker processes (one per GPU, else one per core)"
    group.add_argument("--workers", type=parse_count, metavar="N", help=workers)
    threads = "threads of a worker without a GPU (1)"
    group.add_argument("--threads", type=parse_count, default=1, metavar="N", help=threads)
    group.add_argument("--cells-per-gpu", type=parse_count, default=1, metavar="N", help="workers that share a GPU (1)")


def add_kubernetes_flags(group: argparse._ArgumentGroup) -> None:
    """Adds the flags of the Kubernetes executor; the settings among them may also stand in cluster.toml or the environment."""
    dry_run = "create nothing: print the manifests (client), or have the API server check them (server)"
    group.add_argument("--dry-run", choices=("client", "server"), help=dry_run)
    group.add_argument("--wait", action="store_true", help="show progress until the report is made")
    sources.add_setting_flags(group, but=("tensorboard",))


def parse_count(text: str) -> int:
    """Returns a whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: a whole number of at least 1; correct it")
    return number
