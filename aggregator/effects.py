"""The paired differences of every collaborative model from the same model of Single: what all summaries begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aggregator.statistics import Difference
from aggregator.study import SINGLE, Study, Treatment


class Effect(NamedTuple):
    """How far the test error of a model lies from that of the same model of Single, in percentage points."""

    study: Study
    treatment: Treatment
    model: str
    difference: Difference

    @property
    def title(self) -> str:
        """The model's name with its data set: ``MNIST: ST of L2 0.01``."""
        return f"{self.study.title}: {self.model} of {self.treatment.title}"


def find_effects(studies: Sequence[Study]) -> list[Effect]:
    """Returns all of them, in the order of the studies, their treatments and models; those without results are left out."""
    return [
        Effect(study, treatment, model, found.scaled(100))
        for study in studies
        for treatment in study.beside_single
        for model in study.models
        if (found := study.compare((treatment, model), (SINGLE, model)))
    ]


def largest_effects(effects: Sequence[Effect], most: int) -> list[Effect]:
    """Returns the lowest and the highest of them, ``most`` together, from the lowest on."""
    ordered = sorted(effects, key=lambda e: e.difference.effect)
    half = most // 2
    return ordered if len(ordered) <= most else [*ordered[:half], *ordered[-half:]]
