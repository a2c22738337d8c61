"""The recipes: what the paper says, and what the program did that made its tables, where the two differ.

The facts about the program come from its graph, its logs and five recorded steps of it; docs/settings.md lists them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Each fact by which one recipe differs from the other; every default is the paper's.

    Attributes:
        raw_downsampling: a down-sampling block's first convolution reads the block's input as it is, past BN and ReLU.
        inner_decay: of the kernels, only those of all bricks but the last, with their down-samplings, are decayed.
        biased_variance: batch normalisation moves the variance by the batch's variance over n, not n - 1.
        one_sided_ce: *ce* has no gradient to the predictions that stand before the logarithm.
        mean_over_pairs: *l2* and *l1* are the mean over the pairs of members, not the sum.
        first_epoch: number of the first epoch, where the schedule counts epochs.
        fixed_batches: every epoch has the same batches in the order of the data set, the last, short one too.
        fading_figures: the figures of training are running averages that forget, not averages over the epoch.
    """

    raw_downsampling: bool = False
    inner_decay: bool = False
    biased_variance: bool = False
    one_sided_ce: bool = False
    mean_over_pairs: bool = False
    first_epoch: int = 0
    fixed_batches: bool = False
    fading_figures: bool = False


PAPER = Recipe()
RECIPES = {
    "paper": PAPER,
    "program": Recipe(
        raw_downsampling=True,
        inner_decay=True,
        biased_variance=True,
        one_sided_ce=True,
        mean_over_pairs=True,
        first_epoch=1,
        fixed_batches=True,
        fading_figures=True,
    ),
}
