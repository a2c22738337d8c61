"""The eleven statements of the paper's section 6.1, each as a function of results: supported, refuted or undecided."""

from collections.abc import Sequence

from aggregator.claims import detail, grid
from aggregator.claims.verdict import Claim as Claim
from aggregator.study import Study


def judge(studies: Sequence[Study]) -> list[Claim]:
    """All eleven, on the studies of one run."""
    return [claim(studies) for claim in (*grid.CLAIMS, *detail.CLAIMS)]
