"""The eleven statements of the paper's section 6.1, each as a function of results: supported, refuted or undecided."""

from collections.abc import Sequence

from aggregator.claims import l2_weight, whole_grid
from aggregator.claims.verdict import Claim as Claim
from aggregator.study import Study


def judge_claims(studies: Sequence[Study]) -> list[Claim]:
    """Judges all eleven on the studies of one run."""
    return [judge(studies) for judge in (*whole_grid.CLAIMS, *l2_weight.CLAIMS)]
