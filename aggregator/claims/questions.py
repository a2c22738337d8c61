"""The questions beyond the paper: its section 7.3, and what a referee would ask. Judged across the settings of a run.

Each asks whether collaboration gains more over Single in one setting than in another, or by one method than by another. They
are judged as the paper's statements are, by rules fixed before looking, and apart from these: Holm's correction is over
the questions that the run speaks about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from aggregator.claims.contrasts import (
    Contrast,
    Search,
    across_settings,
    against_controls,
    between_methods,
    shared_members,
)
from aggregator.claims.parts import Part
from aggregator.claims.verdict import Claim, Demand, correct_together, demand_some, pay_looks
from aggregator.slugs import make_slugs
from aggregator.study import Study
from experiment.cell import Cell
from experiment.looks import Look
from experiment.members import Member

VERY_DEEP = 100  # layers: the paper's members have 8 and 14
RULE = (
    "For each model and method, the gain over Single is compared with the other gain, seed by seed: below 0 it is larger. Most "
    "of these differences must lie below 0. Within a tenth of Single's error they are not worth speaking of."
)


class Question(NamedTuple):
    """A question, the statement whose truth answers it with yes, and the search for what a run says about it."""

    name: str
    asks: str
    says: str
    search: Search


def _is_longer(old: Cell, new: Cell) -> bool:
    return new.epochs > old.epochs


def _is_larger(old: Cell, new: Cell) -> bool:
    """Whether one ensemble of equal members is larger than another."""
    return len(new.members) > len(old.members) and len({_shape(m) for m in (*old.members, *new.members)}) == 1


def _is_alike(old: Cell, new: Cell) -> bool:
    """Whether equal members took the place of different ones."""
    shapes = [len({_shape(m) for m in c.members}) for c in (old, new)]
    return len(new.members) == len(old.members) and shapes[0] > shapes[1] == 1


def _is_very_deep(old: Cell, new: Cell) -> bool:
    """Whether a member is very deep, and none was."""
    return len(new.members) == len(old.members) and _depth(new) >= VERY_DEEP > _depth(old)


def _shape(member: Member) -> tuple[int, int, int]:
    return member.bricks, member.blocks, member.filters


def _depth(cell: Cell) -> int:
    return max(2 * m.bricks * m.blocks + 2 for m in cell.members)


def _learners(_: Cell, new: Cell) -> list[str]:
    """Returns the members that still learn from others."""
    return [m.name for m, weight in zip(new.members, new.pull, strict=True) if weight]


QUESTIONS = (
    Question(
        "longer",
        "Does what collaboration gains survive a longer training?",
        "Collaboration gains more in a longer training",
        across_settings("epochs", asks=_is_longer),
    ),
    Question(
        "augmented",
        "Does what collaboration gains survive distorted training images?",
        "Collaboration gains more on distorted images",
        across_settings("augment"),
    ),
    Question(
        "alpha-over-time",
        "When should members collaborate?",
        "Collaboration gains more with a weight that changes over time",
        across_settings("alpha_plan"),
    ),
    Question(
        "asymmetric",
        "Does a member gain more if its peer does not have to follow it?",
        "Members that learn gain more from peers that do not",
        across_settings("pull", models=_learners),
    ),
    Question(
        "larger",
        "Do larger ensembles gain more?",
        "Collaboration gains more in a larger ensemble of equal members",
        across_settings("members", asks=_is_larger),
    ),
    Question(
        "all-pairs",
        "Do members gain more if all are compared, and not only neighbours?",
        "Collaboration of all pairs gains more than a chain",
        across_settings("pairs"),
    ),
    Question(
        "identical",
        "Must members differ?",
        "Collaboration gains more among members of one architecture",
        across_settings("members", asks=_is_alike),
    ),
    Question(
        "deep",
        "Does a very deep member teach a shallow one more?",
        "A member gains more beside a very deep one",
        across_settings("members", asks=_is_very_deep, models=shared_members),
    ),
    Question(
        "unlabelled",
        "Can members collaborate on images without labels, or on noise?",
        "Collaboration gains more with images without labels",
        across_settings("unlabelled", "unlabelled_share"),
    ),
    Question(
        "codistillation",
        "Do members learn as much from peers that are out of date?",
        "Collaboration gains more from peers that are out of date",
        across_settings("stale_epochs", "alpha_plan", asks=lambda old, new: new.stale_epochs > 0 == old.stale_epochs),
    ),
    Question(
        "later-methods",
        "Do later methods gain more than the paper's?",
        "A later method gains more than the paper's",
        between_methods("mutual", "consensus"),
    ),
    Question(
        "offline",
        "Do members learn more from a trained teacher than from one another?",
        "Distillation from a trained teacher gains more than collaboration",
        between_methods("distillation"),
    ),
    Question(
        "regularisers",
        "Is collaboration more than a regulariser?",
        "Collaboration gains more than a regulariser of members trained alone",
        against_controls("label_smoothing", "weight_decay"),
    ),
)


def judge_questions(studies: Sequence[Study], looks: Mapping[str, Look] | None = None) -> list[Claim]:
    """Judges every question that these studies speak about, once for each value of its setting; often there is none.

    Args:
        looks: by slug of a study, the look at its results that this is; by default the first.
    """
    claims = [claim for question in QUESTIONS for claim in _judge(question, studies)]
    return correct_together([pay_looks(c, looks or {}) for c in claims])


def _judge(question: Question, studies: Sequence[Study]) -> Iterator[Claim]:
    found: dict[str, list[Contrast]] = {}
    for contrast in question.search(studies):
        found.setdefault(contrast.value, []).append(contrast)
    slugs = make_slugs([f"{question.name} {value}" for value in found])
    for value, contrasts in found.items():
        yield Claim(
            name=slugs[f"{question.name} {value}"],
            said=f"{question.asks} ({value})",
            statement=f"{question.says} ({value}).",
            rule=RULE,
            demands=tuple(_demand_most(contrasts)),
        )


def _demand_most(contrasts: Sequence[Contrast]) -> Iterator[Demand]:
    """Yields, for each two studies that are set beside each other, the demand that most of their comparisons hold."""
    parts: dict[tuple[str, str], list[Part]] = {}
    for c in contrasts:
        what = c.first.study.title, c.second.study.title
        parts.setdefault(what, []).extend(c.parts())
    for (first, second), own in parts.items():
        yield demand_some(first if first == second else f"{first} beside {second}", own, need=len(own) // 2 + 1)
