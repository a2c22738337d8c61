"""The command line of ``python -m k8s.launch``."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from experiment.errors import refuse
from experiment.looks import CLAIMS
from experiment.program import CommandLine
from k8s.manifests import sources

# Flags that have no meaning with --until-decided, and why.
NOT_IN_ROUNDS = {
    "--seeds": "the plan chooses the seeds",
    "--dry-run": "each round rests on the one before; --plan shows it",
}


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
    add_until_flags(parser.add_argument_group("until the paper's claims are decided"))
    add_local_flags(parser.add_argument_group("with --executor local"))
    add_kubernetes_flags(parser.add_argument_group("with --executor kubernetes"))
    return parser.parse_args(argv)


def add_until_flags(group: argparse._ArgumentGroup) -> None:
    """Adds the flags of a launch that goes on with more seeds until claims are decided."""
    until = "add seeds in rounds, with a planned look after each, until these claims of the paper, or all, are decided"
    group.add_argument("--until-decided", type=parse_claims, metavar="CLAIM[,CLAIM...]|all", help=until)
    dollars = "stop before a round that would spend more; with --executor kubernetes"
    group.add_argument("--budget", type=parse_amount, metavar="USD", help=dollars)
    hours = "stop before a round that would take this machine longer; with --executor local"
    group.add_argument("--budget-hours", type=parse_amount, metavar="HOURS", help=hours)


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
    add_yes_flag(group)
    group.add_argument("--wait", action="store_true", help="show progress until the report is made")
    sources.add_setting_flags(group, but=("tensorboard",))


def add_yes_flag(parser: sources.Parser) -> None:
    """Adds the flag that answers the question about the cost."""
    parser.add_argument("--yes", action="store_true", help="launch without a question, whatever the forecast costs")


def check_until_flags(arguments: argparse.Namespace) -> None:
    """Checks that the flags of ``--until-decided`` go together.

    Raises:
        InvalidInput: one is missing, or has no meaning beside another.
    """
    local = arguments.executor == "local"
    own, other = ("--budget-hours", "--budget") if local else ("--budget", "--budget-hours")
    amounts = {"--budget": arguments.budget, "--budget-hours": arguments.budget_hours}
    if not arguments.until_decided:
        given = [name for name, amount in amounts.items() if amount is not None]
        if given:
            raise refuse(given[0], amounts[given[0]], "a budget of --until-decided", "give that, or leave this out")
        return
    if amounts[other] is not None:
        what = "hours of this machine" if local else "dollars"
        allowed = f"{what} ({own}) with --executor {arguments.executor}"
        raise refuse(other, amounts[other], allowed, f"give {own}")
    if amounts[own] is None:
        raise refuse(own, None, "a budget, as nobody asks before each round", f"give {own}")
    for name, why in NOT_IN_ROUNDS.items():
        value = getattr(arguments, name.removeprefix("--").replace("-", "_"))
        if value is not None:
            raise refuse(name, value, f"none with --until-decided: {why}", f"leave {name} out")


def parse_claims(text: str) -> tuple[str, ...]:
    """Returns the names of claims, each once, in the paper's order; ``all`` stands for all eleven."""
    given = [name.strip().upper() for name in text.split(",")]
    unknown = [name for name in given if name not in CLAIMS]
    if given == ["ALL"]:
        return CLAIMS
    if unknown:
        allowed = f"all, or some of {', '.join(CLAIMS)}"
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: {allowed}; correct it")
    return tuple(name for name in CLAIMS if name in given)


def parse_amount(text: str) -> float:
    """Returns dollars or hours: a finite number above 0."""
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: a finite number above 0; correct it")
    return amount


def parse_count(text: str) -> int:
    """Returns a whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: a whole number of at least 1; correct it")
    return number
