"""What the page begins with: every verdict as a link, the largest differences, and what would decide the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.claims import Claim
from aggregator.claims.outlook import POWER
from aggregator.effects import Effect, find_effects, largest_effects
from aggregator.entries import Entry, interval_entry, number_entry, show_hours, treatment_entry
from aggregator.report.material import Material
from aggregator.suggest import NEXT_GRID, Step
from aggregator.tables import Table

MOST_EFFECTS = 6
SAID = {
    "1": "Members beat the same models alone",
    "2": "The small member comes close to the large one",
    "3": "One member comes close to the ensemble",
    "4": "Every method improves something",
    "5": "CE likes alpha 1, L2 and L1 less",
    "6": "Ensembles gain as alpha falls",
    "L2-1": "Learning curves are smoother",
    "L2-2": "MNIST: all models improve",
    "L2-3": "notMNIST: less overfitting",
    "L2-4": "CIFAR10: same training, better test",
    "L2-5": "Members perform more alike",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A verdict as the page begins with it; ``face`` is what the numbers say without a test."""

    said: str
    verdict: str
    face: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Opening:
    """The first part of the page.

    Attributes:
        answers: to the paper's claims.
        asked: to the questions beyond the paper that the run speaks about; they stand first, since it was made for them.
    """

    answers: tuple[Answer, ...]
    asked: tuple[Answer, ...]
    words: tuple[str, ...]
    effects: Table | None


def compose_opening(m: Material) -> Opening:
    """Returns it; a run without results has verdicts only."""
    effects = find_effects(m.studies)
    return Opening(
        answers=tuple(map(_answer, m.claims)),
        asked=tuple(map(_answer, m.questions)),
        words=tuple(say_steps(m.steps)),
        effects=_effects_table(effects) if effects else None,
    )


def card_name(claim: Claim) -> str:
    """Returns the anchor of the card of a claim or a question, and the name of its files."""
    return f"{claim.kind}-{claim.name.lower()}"


def say_claim(claim: Claim) -> str:
    """Returns a claim with its name, or the question that it answers, in a line."""
    return claim.said or f"{claim.name}: {SAID[claim.name]}"


def _answer(c: Claim) -> Answer:
    return Answer(said=say_claim(c), verdict=c.verdict, face=c.face, anchor=card_name(c))


def say_steps(steps: Sequence[Step]) -> list[str]:
    """Returns a sentence for each way to a verdict, with the claims that it is for."""
    groups: dict[str, list[str]] = {}
    for step in steps:
        groups.setdefault(_say_step(step), []).append(step.claim.name)
    return [
        f"{'Claims' if len(names) > 1 else 'Claim'} {', '.join(names)}: {words}." for words, names in groups.items()
    ]


def _say_step(step: Step) -> str:
    if not step.chance:
        return step.outlook.words
    c, cost = step.chance, step.cost
    took = show_hours(cost.hours)
    return f"{c.seeds} seeds of each would, with {POWER:.0%} ({cost.cells:,} new cells, {took}: {NEXT_GRID})"


def _effects_table(effects: Sequence[Effect]) -> Table:
    tests = dict.fromkeys(e.difference.test for e in effects)
    return Table(
        name="largest-differences",
        title="Largest differences from Single",
        caption=f"Of {len(effects)}, in percentage points of test error, with 95 % intervals ({', '.join(tests)}); below 0 "
        "collaboration is better. Being the largest, they are overstated: the figures of differences show all.",
        columns=("model", "difference (pp)", "95 % interval"),
        rows=tuple(map(effect_row, largest_effects(effects, MOST_EFFECTS))),
    )


def effect_row(effect: Effect) -> tuple[Entry, ...]:
    """Returns a row of a model, its difference from Single and the interval of that."""
    d = effect.difference
    named = {"study": effect.study.title, **treatment_entry(effect.treatment).parts, "model": effect.model}
    return (Entry(text=effect.title, parts=named), number_entry(d.effect, "+.2f"), interval_entry(d, ".2f"))
