"""How often the verdicts are wrong, and how often they are found: the suite's own rules on simulated seeds.

    python -m benchmarks.verdicts [--draws 10000] [--seeds 3 5 10 20]

The truth is the paper's published tables, the spread over seeds that of the author's near-replicates. ``verdict_rates`` says
where wrong verdicts are simulated. Then the same with looks: who is not satisfied looks again with more seeds, at the level for
that look; and by the plan of ``k8s.launch --until-decided``, which never gives up here: to stop early for money or power
supports nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from aggregator.claims import Claim
from aggregator.claims.rules import ALPHA, Evidence, Floats
from benchmarks.simulated_seeds import draw_values, idle_truth, published_claims, published_truth
from benchmarks.verdict_rates import (
    FIELDS,
    UNPUBLISHED,
    find_verdicts,
    follow_plan,
    rate_wrong,
    rate_wrong_after_looks,
    rate_wrong_in_plan,
)
from experiment.looks import PLANNED_SEEDS, level_in_plan

LOOKS = (5, 10, 15, 20)  # seeds at each look


def table_lines(draws: int, seeds: Sequence[int]) -> Iterator[str]:
    """Yields the tables, line by line."""
    claims = published_claims()
    published = [c.name for c in claims if c.name not in UNPUBLISHED]
    for title, truth in (
        ("the published numbers are true", published_truth),
        ("collaboration does nothing", idle_truth),
    ):
        yield f"If {title}: probability of each verdict, alone / with Holm over the eleven"
        columns = [_show_found(find_verdicts(claims, draw_values(_rng(s), draws, s, truth))) for s in seeds]
        yield from _align(published, [f"{s} seeds" for s in seeds], columns)
    yield "Wrong verdicts at the least favourable truth, of a nominal 0.025: support  refutation  no difference"
    columns = []
    for s in seeds:
        values = draw_values(_rng(s), draws, s)
        columns.append({c.name: "  ".join(f"{rate_wrong(c, values, v):.3f}" for v in FIELDS) for c in claims})
    yield from _align([c.name for c in claims], [f"{s} seeds" for s in seeds], columns)
    yield "Wrong support by any look so far, each at the level of its number"
    values = draw_values(_rng(LOOKS[-1]), draws, LOOKS[-1])
    rates = {c.name: rate_wrong_after_looks(c, values, LOOKS) for c in claims}
    columns = [{name: f"{r[i]:.3f}" for name, r in rates.items()} for i in range(len(LOOKS))]
    yield from _align([*rates], [f"{s} seeds" for s in LOOKS], columns)
    yield from _plan_lines(claims, published, draws)


def _plan_lines(claims: Sequence[Claim], published: Sequence[str], draws: int) -> Iterator[str]:
    """Yields what a plan of looks supports wrongly, also after an earlier look at 5 seeds, and what it finds."""
    values = draw_values(_rng(PLANNED_SEEDS[-1]), draws, PLANNED_SEEDS[-1])
    yield f"Wrong support by any look so far of a plan, each at {level_in_plan(len(PLANNED_SEEDS)):.2g}; after an earlier look at 5"
    rates = {c.name: rate_wrong_in_plan(c, values) for c in claims}
    again = {c.name: rate_wrong_in_plan(c, values, (LOOKS[0],)) for c in claims}
    columns = [{name: f"{r[i]:.3f}" for name, r in rates.items()} for i in range(len(PLANNED_SEEDS))]
    columns.append({name: f"{r[-1]:.3f}" for name, r in again.items()})
    yield from _align([*rates], [*(f"{s} seeds" for s in PLANNED_SEEDS), "all, after one"], columns)
    yield "If the published numbers are true: a plan ends with a verdict, and after so many seeds"
    ends = {c.name: follow_plan(c, values) for c in claims if c.name in published}
    columns = [{name: f"{end[i]:.{2 - i}f}" for name, end in ends.items()} for i in range(2)]
    yield from _align(published, ["verdict", "mean seeds"], columns)


def _rng(seeds: int) -> np.random.Generator:
    return np.random.default_rng(seeds)


def _align(names: Sequence[str], titles: Sequence[str], columns: Sequence[Mapping[str, str]]) -> Iterator[str]:
    widths = [max(map(len, (title, *c.values()))) + 2 for title, c in zip(titles, columns, strict=True)]
    yield f"{'claim':8}" + "".join(f"{t:>{w}}" for t, w in zip(titles, widths, strict=True))
    for name in names:
        yield f"{name:8}" + "".join(f"{c[name]:>{w}}" for c, w in zip(columns, widths, strict=True))
    yield ""


def _show_found(found: Mapping[str, tuple[Evidence, Floats]]) -> dict[str, str]:
    return {name: _show_rates(*both) for name, both in found.items()}


def _show_rates(evidence: Evidence, holm: Floats) -> str:
    words = {"supports": "sup", "refutes": "ref", "same": "none"}
    rates = {w: ((getattr(evidence, f) <= ALPHA), holm <= ALPHA) for f, w in words.items()}
    shown = [f"{w} {a.mean():.2f}/{(a & b).mean():.2f}" for w, (a, b) in rates.items() if a.mean() >= 0.005]
    return " ".join(shown) or "-"


def main() -> None:
    """Simulates and prints."""
    p = argparse.ArgumentParser(description="How often verdicts are wrong, and how often they are found.")
    p.add_argument("--draws", type=int, default=10_000)
    p.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 10, 20])
    arguments = p.parse_args()
    begun = time.perf_counter()
    for line in table_lines(arguments.draws, arguments.seeds):
        print(line, flush=True)
    print(f"{arguments.draws:,} draws in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
