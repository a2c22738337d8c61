"""The command line of ``python -m k8s.launch``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from k8s.manifests import sources


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The launcher's flags; leaves with exit code 2 and one line if they are not understood."""
    parser = argparse.ArgumentParser(
        prog="python -m k8s.launch",
        description="Trains the cells of a grid that have no result yet, then reports on all of them.",
        allow_abbrev=False,
    )
    parser.add_argument("--grid", required=True, metavar="NAME|PATH.toml", help="a built-in grid or a grid file")
    parser.add_argument("--executor", choices=("kubernetes", "local"), default="kubernetes", help="where to train")
    parser.add_argument("--store", default="store", metavar="URL", help="a directory or s3://BUCKET/PREFIX (./store)")
    parser.add_argument("--run", metavar="RUN", help="the run's name (the grid's name and a digest of its cells)")
    parser.add_argument("--plan", action="store_true", help="list the cells and which are finished, change nothing")
    parser.add_argument("--seeds", type=count, metavar="N", help="train every cell with the seeds 0 to N-1")
    parser.add_argument("--only", action="append", default=[], metavar="FIELD=VALUE[,VALUE...]", help="a part of it")
    parser.add_argument("--retry-diverged", action="store_true", help="train cells again whose last attempt diverged")
    sources.add_argument(parser, "tensorboard")
    add_local(parser.add_argument_group("with --executor local"))
    add_kubernetes(parser.add_argument_group("with --executor kubernetes"))
    return parser.parse_args(argv)


def add_local(group: argparse._ArgumentGroup) -> None:
    """The flags that only the local executor reads."""
    group.add_argument("--workers", type=count, metavar="N", help="worker processes (one per GPU, else one per core)")
    group.add_argument("--threads", type=count, default=1, metavar="N", help="threads of a worker without a GPU (1)")
    group.add_argument("--cells-per-gpu", type=count, default=1, metavar="N", help="workers that share a GPU (1)")


def add_kubernetes(group: argparse._ArgumentGroup) -> None:
    """The flags that only the Kubernetes executor reads; each setting may also stand in cluster.toml or the environment."""
    group.add_argument(
        "--dry-run", choices=("client", "server"), help="print the manifests, or have the server judge them"
    )
    group.add_argument("--wait", action="store_true", help="show progress until the report is made")
    sources.add_arguments(group, but=("tensorboard",))


def count(text: str) -> int:
    """A whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: a whole number of at least 1; correct it")
    return number
