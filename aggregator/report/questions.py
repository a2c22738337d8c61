"""The section about the questions beyond the paper: of each that the run speaks about a card and a figure; else nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from aggregator.claims import Claim
from aggregator.claims.parts import Part, make_part
from aggregator.effects import Effect
from aggregator.entries import interval_entry, number_entry
from aggregator.figures.differences import Panel, draw_panels
from aggregator.figures.picture import Picture
from aggregator.report.blocks import Block, Section
from aggregator.report.cards import claim_card
from aggregator.report.opening import card_name, say_steps
from aggregator.suggest import Step

WORDS = (
    "What this run says across its settings: whether collaboration gains more over Single in one than in another, or by one "
    "method than by another. Supported: it is shown to gain more; refuted: less; no difference worth speaking of: as much, "
    "within a tenth of Single's error. The rules were fixed before looking; Holm's correction is over these questions alone."
)
CAPTION = (
    "Difference of two gains over Single, in test error after the last epoch, with 95 % intervals ({tests}). Left of 0 the first "
    "gain is larger. The grey band is a tenth of Single's error, the least of the rows. An arrow with a number lies outside."
)


def questions_section(questions: Sequence[Claim], steps: Sequence[Step]) -> Section:
    """Returns a card and a figure for each question; nothing of a run that speaks about none.

    Args:
        steps: what would decide each undecided one.
    """
    ways = {step.claim.name: step for step in steps}
    blocks: list[Block] = []
    for question in questions:
        way = [("what would decide it", _say_way(ways[question.name]))] if question.name in ways else []
        blocks.append(claim_card(question, facts=[*_say_mean(question), *way]))
        if any(p.difference for p in question.parts):
            blocks.append(plot_question(question))
    return Section(
        anchor="questions",
        title="Questions beyond the paper",
        words=(WORDS,) if questions else (),
        blocks=tuple(blocks),
    )


def plot_question(question: Claim) -> Picture:
    """Draws a panel per model, and a row per treatment and two studies that are set beside each other."""
    found = [(row, p) for row, p in _place_parts(question) if p.difference]
    rows = list(dict.fromkeys(row for row, _ in found))
    panels = []
    for model in dict.fromkeys(p.terms[0].model for _, p in found):
        own = [(row, p) for row, p in found if p.terms[0].model == model]
        tenth = min((p.tenth for _, p in own if not math.isnan(p.tenth)), default=0.0)
        panels.append(Panel(model, tenth, [(rows.index(row), _to_effect(p)) for row, p in own]))
    several = len(question.demands) > 1
    return draw_panels(
        panels,
        rows,
        "difference of errors (pp): below 0 gains more",
        name=f"{card_name(question)}-differences",
        title=question.said,
        caption=CAPTION.format(tests=", ".join(dict.fromkeys(p.difference.test for _, p in found if p.difference))),
        note="; ".join(f"{n}: {d.what}" for n, d in enumerate(question.demands, 1)) + "." if several else "",
    )


def _place_parts(question: Claim) -> Iterator[tuple[str, Part]]:
    """Yields the comparisons with the names of their rows, which begin with a number where several studies are compared."""
    for n, demand in enumerate(question.demands, 1):
        for part in demand.parts:
            first, second = (t.treatment.title for t in part.terms[:2])
            row = first if first == second else f"{first} \N{MINUS SIGN} {second}"
            yield f"{n}: {row}" if len(question.demands) > 1 else row, part


def _to_effect(part: Part) -> Effect:
    assert part.study and part.difference
    return Effect(part.study, part.terms[0].treatment, part.terms[0].model, part.difference)


def _say_mean(question: Claim) -> list[tuple[str, str]]:
    """Returns the mean of its differences with an interval, where there are seeds to pair."""
    parts = [p for p in question.parts if p.study]
    terms = [t._replace(factor=t.factor / len(parts)) for p in parts for t in p.terms]
    mean = make_part(parts[0].study, question.statement, terms) if parts and parts[0].study else None
    d = mean.difference if mean and mean.seeds > 1 else None
    return (
        [("mean difference (pp)", f"{number_entry(d.effect, '+.2f').text} ({interval_entry(d, '.2f').text})")]
        if d
        else []
    )


def _say_way(step: Step) -> str:
    """Returns what would decide a question, without its name."""
    return say_steps([step])[0].partition(": ")[2]
