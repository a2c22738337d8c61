"""The card of a claim or a question: its verdict, how its comparisons came out by data set and method, and all of them folded."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aggregator.claims import Claim
from aggregator.claims.parts import Part
from aggregator.claims.second_halves import SecondHalf
from aggregator.entries import NOTHING, Entry, count_entry, interval_entry, number_entry, text_entry
from aggregator.report.blocks import Card
from aggregator.report.opening import card_name, say_claim
from aggregator.study import TITLES
from aggregator.tables import Table
from experiment.cell import METHODS
from experiment.datasets import title_of

COMPARISONS = (
    "holds if",
    "at face value",
    "difference (pp)",
    "95 % interval",
    "for images like these",
    "must be below",
    "p: holds",
    "p: fails",
    "p: within a tenth",
    "test",
    "seeds",
)
TENTH_ABOVE = " Of what must be at most a tenth above, the difference is a - 1.1 b."


def claim_card(claim: Claim, second: SecondHalf | None = None, facts: Sequence[tuple[str, str]] = ()) -> Card:
    """Returns the card of a judged statement, with its second half if it has one, and with further facts."""
    tested = any(p.tested for p in claim.parts)
    numbers = (("p", f"{claim.p:.2g}"), ("p (Holm)", f"{claim.holm:.2g}")) if tested else ()
    half = (("second half", f"{second.verdict}: {second.statement}"),) if second else ()
    return Card(
        name=card_name(claim),
        title=say_claim(claim),
        verdict=claim.verdict,
        statement=claim.statement,
        facts=(*numbers, ("at face value", claim.face), ("seeds", str(claim.seeds)), *half, *facts),
        grid=_demand_grid(claim) if claim.parts else None,
        words=(claim.rule, *filter(None, (claim.remark,)), *claim.why.splitlines()),
        comparisons=comparisons_table(claim) if claim.parts else None,
    )


def _demand_grid(claim: Claim) -> Table:
    """Returns how many comparisons hold, a row for each data set and a column for each method."""
    placed: dict[tuple[str, str], list[Part]] = {}
    for part in claim.parts:
        if part.study:
            placed.setdefault((title_of(part.study.dataset), _method_of(part)), []).append(part)
    rows = list(dict.fromkeys(row for row, _ in placed))
    methods = [TITLES[m] for m in METHODS if TITLES[m] in {column for _, column in placed}]
    return Table(
        name=f"{card_name(claim)}-demands",
        title=f"{claim.kind.capitalize()} {claim.name} by data set and method",
        caption="How many of the comparisons hold at face value, and how many are shown to.",
        columns=("data set", *methods),
        rows=tuple(
            (text_entry(r), *(_count_entry(placed.get((r, m), ()), claim.level) for m in methods)) for r in rows
        ),
    )


def _method_of(part: Part) -> str:
    methods = [t.treatment.method for t in part.terms]
    return TITLES[next((m for m in methods if m != "single"), "single")]


def _count_entry(parts: Sequence[Part], level: float) -> Entry:
    if not parts:
        return text_entry(NOTHING)
    holding, known = sum(p.face is True for p in parts), sum(p.face is not None for p in parts)
    if not known:
        return text_entry("no results")
    tested = [p for p in parts if p.tested]
    shown = f", {sum(p.p_holds <= level for p in tested)} shown" if tested else ""
    return Entry(text=f"{holding} of {len(parts)}{shown}", value=holding / len(parts))


def comparisons_table(claim: Claim) -> Table:
    """Returns the table of a claim's comparisons."""
    remark = f" {claim.remark}" if claim.remark else ""
    tenth = TENTH_ABOVE if claim.kind == "claim" else ""
    return Table(
        name=card_name(claim),
        title=f"Comparisons behind {claim.kind} {claim.name}: {claim.verdict}",
        caption=f"{claim.rule}{remark} {'; '.join(claim.why.splitlines())}.{tenth}",
        columns=COMPARISONS,
        rows=tuple(map(_comparison_row, claim.parts)),
    )


def _comparison_row(part: Part) -> tuple[Entry, ...]:
    d = part.difference
    return (
        text_entry(part.says),
        text_entry({True: "yes", False: "no", None: "open"}[part.face]),
        number_entry(d.effect if d else math.nan, "+.3f"),
        interval_entry(d),
        interval_entry(part.over_images()),
        number_entry(part.bound, ".2f"),
        *(
            number_entry(p, ".2g") if part.tested and shown else text_entry(NOTHING)
            for p, shown in ((part.p_holds, True), (part.p_fails, True), (part.p_same, part.over is not None))
        ),
        text_entry(d.test if d else "no results"),
        count_entry(part.seeds),
    )
