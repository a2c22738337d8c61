"""What a statement compares: one value per seed of a model, recorded or derived from its curve, and the shares behind it."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator.study import ERROR, Study, Treatment
from experiment.members import ENSEMBLE

TRAIN_ERROR, AGREEMENT = "train_error", "test_agreement"
ROUGHNESS = "restlessness of the test error"  # from the first halving of the learning rate
TRAINING = "mean train error over epochs"
DISTANCE = "distance between the first and the last member"  # of the ensemble
# What a run must hold for a figure to exist, where being trained is not enough.
NEEDS = {ROUGHNESS: "three epochs after the first halving of the learning rate: train for longer"}
Values = TypeVar("Values", pd.Series, NDArray[np.float64])


class Term(NamedTuple):
    """A summand of a comparison: a figure of a model, times a factor; ``home`` is its study if not the comparison's."""

    treatment: Treatment
    model: str
    factor: float = 1.0
    column: str = ERROR
    home: Study | None = None

    def of(self, study: Study) -> Study:
        """The study that it is a figure of, in a comparison of this one."""
        return self.home or study


class Share(NamedTuple):
    """A share of so many examples, times a factor: what one run's binomial error is computed from."""

    rate: float
    size: int
    factor: float


def seed_values(study: Study, term: Term) -> pd.Series:
    """Returns the figure of each seed, without the term's factor; empty where there is none."""
    study = term.of(study)
    if term.column == ROUGHNESS:
        return _roughness(study, term.treatment, term.model)
    if term.column == TRAINING:
        return study.curve(term.treatment, term.model, TRAIN_ERROR).mean()
    if term.column == DISTANCE:
        first, last = (study.final(term.treatment, m) for m in (study.members[0], study.members[-1]))
        seeds = first.index.intersection(last.index)
        return signed_distance(first[seeds], last[seeds])
    return study.final(term.treatment, term.model, term.column)


def signed_distance(a: Values, b: Values) -> Values:
    """Returns a - b of each seed, with the sign that makes their mean positive. Seeds are the last axis."""
    difference = a - b
    return difference * np.where(np.asarray(difference).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)


def curve_roughness(curve: pd.DataFrame) -> pd.DataFrame:
    """Returns how far each epoch lies from the line through its neighbours, by epoch and seed: 0 on any straight line."""
    return curve.diff().diff().abs().dropna()


def _roughness(study: Study, treatment: Treatment, model: str) -> pd.Series:
    """Returns the mean roughness of the test error from the first halving of the learning rate on, by seed.

    Before it all curves fall, and what is measured is how fast. The line through two neighbours lies in it as a whole.
    """
    curve, rates = (study.curve(treatment, model, c) for c in (ERROR, "learning_rate"))
    if curve.empty or rates.empty:
        return pd.Series(dtype=float)
    return curve_roughness(curve[rates.lt(rates.iloc[0]).all(axis=1)]).mean().dropna()


def shares_of(study: Study, term: Term, seed: int) -> list[Share] | None:
    """Returns the shares that the figure of one run is made of; None if its error is not a binomial one."""
    if term.column == ROUGHNESS:
        return None
    study = term.of(study)
    if term.column == DISTANCE:
        ends = [term._replace(model=m, column=ERROR) for m in (study.members[0], study.members[-1])]
        first, last = (float(seed_values(study, t)[seed]) for t in ends)
        sign = term.factor * (-1.0 if first < last else 1.0)
        return [Share(first, study.size(), sign), Share(last, study.size(), -sign)]
    size = study.size("train_examples" if term.column in (TRAIN_ERROR, TRAINING) else "test_examples")
    if term.column == TRAINING:
        curve = study.curve(term.treatment, term.model, TRAIN_ERROR)[seed]
        return [Share(float(rate), size, term.factor / len(curve)) for rate in curve]
    return [Share(float(seed_values(study, term)[seed]), size, term.factor)]


def name_model(treatment: Treatment, model: str) -> str:
    """Returns a model's name in sentences: ``M of L2 0.01``."""
    return f"{model} of {treatment.title}"


def distance_of(treatment: Treatment, factor: float) -> Term:
    """Returns the summand of the distance between the members of an ensemble."""
    return Term(treatment, ENSEMBLE, factor, DISTANCE)
