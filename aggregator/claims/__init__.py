"""The eleven statements of the paper's section 6.1, each as a function of results."""

import dataclasses
from collections.abc import Mapping, Sequence

from aggregator.claims import l2_weight, whole_grid
from aggregator.claims.verdict import Claim as Claim
from aggregator.claims.verdict import correct_together
from aggregator.study import Study
from experiment.looks import Look


def judge_claims(studies: Sequence[Study], looks: Mapping[str, Look] | None = None) -> list[Claim]:
    """Judges all eleven on the studies of one run.

    Args:
        looks: by slug of a study, the look at its results that this is; by default the first.
    """
    claims = [judge(studies) for judge in (*whole_grid.CLAIMS, *l2_weight.CLAIMS)]
    return correct_together([_pay_looks(c, looks or {}) for c in claims])


def _pay_looks(claim: Claim, looks: Mapping[str, Look]) -> Claim:
    """Returns the statement at the lowest level of the looks at its studies."""
    own = [looks[p.study.slug] for p in claim.parts if p.study and p.study.slug in looks]
    planned = any(look.level is not None for look in own)
    level = min(look.paid_level for look in own) if planned else None
    return dataclasses.replace(claim, looks=max((look.number for look in own), default=1), planned=level)
