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
from experiment.run import open_run

PRICE = "PRICE_PER_HOUR"


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
    return p


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
            from aggregator.report.make import make_report  # pandas and Matplotlib take seconds: after all is checked

            options = {"out": arguments.out, "wait": arguments.wait, "prices": prices}
            place = make_report(store, run, **options, now=lambda: dt.datetime.now(dt.UTC))
        print(place)
    return COMMITTED


if __name__ == "__main__":
    run_program(main)
