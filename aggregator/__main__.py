"""``python -m aggregator --run STORE/runs/RUN``: makes the run's report, at any moment of the run."""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
from pathlib import Path

from aggregator.environment import isolated_libraries
from experiment.errors import COMMITTED, refuse
from experiment.interrupts import interrupted_by_signals
from experiment.program import CommandLine, parse_seconds, report_errors, run_program
from experiment.run import Run, open_run
from experiment.store import Store

PRICE = "PRICE_PER_HOUR"
FEWEST, FURTHEST = 5, 100  # seeds: where tests begin, and where forecasts end


def build_parser() -> argparse.ArgumentParser:
    """Returns the command's arguments."""
    p = CommandLine(prog="python -m aggregator", description="Makes the report of a run: tables, figures and one page.")
    p.add_argument(
        "--run",
        required=True,
        metavar="STORE/runs/RUN",
        help="the run: a directory or s3:// URL, as the launcher prints it",
    )
    p.add_argument(
        "--out", type=parse_folder, metavar="DIR", help="write the report here instead of into the store's reports/RUN/"
    )
    p.add_argument(
        "--wait",
        nargs="?",
        type=parse_seconds,
        const=math.inf,
        metavar="SECONDS",
        help="first wait until every cell is done or has failed for good, for at most SECONDS if they are given",
    )
    p.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="[DEVICE=]USD",
        help="dollars per device-hour, for all devices or for those whose name contains DEVICE; may be repeated "
        "(default: the variable PRICE_PER_HOUR; without either, no dollars are shown)",
    )
    _add_questions(p)
    return p


def _add_questions(p: argparse.ArgumentParser) -> None:
    """Adds the flags that ask for an answer instead of a report."""
    p.add_argument(
        "--summary",
        action="store_true",
        help="make no report, but print the verdicts and the largest effects as a table",
    )
    p.add_argument(
        "--judge",
        nargs="?",
        type=parse_targets,
        const=(),
        metavar="SEEDS,SEEDS,...",
        help="make no report, but print the verdicts as JSON, and the chance of one with so many seeds of each",
    )
    p.add_argument(
        "--suggest",
        type=parse_file,
        metavar="FILE.toml",
        help="make no report, but write a grid of the run's cells and of the seeds that would decide its undecided claims",
    )
    p.add_argument(
        "--claims",
        default="",
        metavar="1,4",
        help="with --suggest: the claims or questions to decide (default: all claims)",
    )
    p.add_argument(
        "--power", type=parse_share, default=0.8, help="with --suggest: the probability of a verdict (default: 0.8)"
    )
    p.add_argument(
        "--most", type=parse_seeds, default=30, metavar="SEEDS", help="with --suggest: seeds at most (default: 30)"
    )
    p.add_argument("--budget", type=parse_dollars, metavar="USD", help="with --suggest: dollars at most; needs a price")


def parse_file(text: str) -> Path:
    """Returns the path of a grid file."""
    if not text.lower().endswith(".toml"):
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: a path that ends in .toml; correct it")
    return Path(text)


def parse_share(text: str) -> float:
    """Returns a probability between 0 and 1."""
    return _parse_number(text, 0, 1, "a probability between 0 and 1")


def parse_dollars(text: str) -> float:
    """Returns a positive number of dollars."""
    return _parse_number(text, 0, math.inf, "dollars above 0")


def _parse_number(text: str, above: float, below: float, allowed: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not above < number < below:
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: {allowed}; correct it")
    return number


def parse_seeds(text: str) -> int:
    """Returns a number of seeds that a forecast reaches."""
    if not text.isdecimal() or not FEWEST <= int(text) <= FURTHEST:
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: {FEWEST} to {FURTHEST} seeds; correct it")
    return int(text)


def parse_targets(text: str) -> tuple[int, ...]:
    """Returns the numbers of seeds of a list."""
    return tuple(map(parse_seeds, text.split(",")))


def parse_folder(text: str) -> Path:
    """Returns the folder of a report; an empty text is none."""
    if not text:
        raise argparse.ArgumentTypeError("'' given; allowed: a directory; give one, . for this directory")
    return Path(text)


def parse_prices(given: list[str], source: str = "--price") -> dict[str, float]:
    """Returns dollars per hour by part of a device's name; the empty name stands for all devices. ``source`` gave them.

    Raises:
        InvalidInput: a text is not a price.
    """
    found = {}
    for text in given:
        device, _, number = text.rpartition("=")
        try:
            found[device] = float(number)
        except ValueError:
            found[device] = math.nan
        if not 0 <= found[device] < math.inf:
            raise refuse("a price", text, "[DEVICE=]USD per hour, such as 0.9 or K80=0.9", f"correct {source}")
    return found


def main(argv: list[str] | None = None) -> int:
    """Parses and makes the report; the last line of output is the place of the page. Returns the exit code."""
    arguments = build_parser().parse_args(argv)
    return report_errors(lambda: _report(arguments))


def _report(arguments: argparse.Namespace) -> int:
    with interrupted_by_signals("the report is not complete, and the same command makes it"):
        own = os.environ.get(PRICE, "")
        prices = parse_prices(arguments.price) if arguments.price or not own else parse_prices([own], PRICE)
        store, run = open_run(arguments.run)
        with isolated_libraries():
            if arguments.summary or arguments.suggest or arguments.judge is not None:
                _answer(arguments, store, run, prices)
                return COMMITTED
            from aggregator.report.make import make_report  # pandas and Matplotlib take seconds: after all is checked

            options = {"out": arguments.out, "wait": arguments.wait, "prices": prices}
            place = make_report(store, run, **options, now=lambda: dt.datetime.now(dt.UTC))
        print(place)
    return COMMITTED


def _answer(arguments: argparse.Namespace, store: Store, run: Run, prices: dict[str, float]) -> None:
    from aggregator.answers import Wish, answer_wish

    claims = tuple(filter(None, (name.strip() for name in arguments.claims.split(","))))
    wishes = {name: getattr(arguments, name) for name in ("summary", "judge", "suggest", "power", "most", "budget")}
    for line in answer_wish(store, run, Wish(claims=claims, **wishes), prices, dt.datetime.now(dt.UTC)):
        print(line)


if __name__ == "__main__":
    run_program(main)
