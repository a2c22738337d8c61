"""The eleven statements of the paper's section 6.1, each as a function of results."""

from collections.abc import Mapping, Sequence

from aggregator.claims import l2_weight, whole_grid
from aggregator.claims.verdict import Claim as Claim
from aggregator.claims.verdict import correct_together, pay_looks
from aggregator.study import Study
from experiment.looks import Look


def judge_claims(studies: Sequence[Study], looks: Mapping[str, Look] | None = None) -> list[Claim]:
    """Judges all eleven on the studies of one run.

    Args:
        looks: by slug of a study, the look at its results that this is; by default the first.
    """
    claims = [judge(studies) for judge in (*whole_grid.CLAIMS, *l2_weight.CLAIMS)]
    return correct_together([pay_looks(c, looks or {}) for c in claims])
