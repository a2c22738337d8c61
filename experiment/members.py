"""The members of an ensemble: pre-activation ResNets, and the two that the paper trains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from experiment.bounds import check_count
from experiment.errors import refuse

ENSEMBLE = "Ens"  # the model whose logits are the mean of the members' logits
MEMBER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,15}")
ALONE = ("single", "distillation")  # the methods that one member can be trained by


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network of an ensemble: a pre-activation ResNet of ``bricks`` times ``blocks`` residual blocks.

    Attributes:
        filters: filters of the first brick; every further brick has twice as many.
    """

    name: str
    bricks: int
    blocks: int
    filters: int

    def __post_init__(self) -> None:
        good = isinstance(self.name, str) and MEMBER_NAME.fullmatch(self.name)
        if not good or self.name == ENSEMBLE:
            allowed = f"a letter, then up to 15 letters or digits, not {ENSEMBLE!r}"
            raise refuse("a member's name", self.name, allowed, "rename it")
        check_count(f"bricks of member {self.name}", self.bricks, 1, 8)
        check_count(f"blocks of member {self.name}", self.blocks, 1, 64)
        check_count(f"filters of member {self.name}", self.filters, 1, 1024)


MEMBERS: dict[str, Member] = {
    "ST": Member(name="ST", bricks=3, blocks=1, filters=8),
    "M": Member(name="M", bricks=3, blocks=2, filters=16),
}


def check_members(members: Sequence[Member], shape: tuple[int, int, int], method: str, dataset: str) -> None:
    """Checks that an ensemble of these members can be trained by a method on images of this shape.

    Raises:
        InvalidInput: there are too few or too many, two have one name, or one halves its images too often.
    """
    names = [m.name for m in members]
    if not 1 <= len(names) <= 16 or len(set(names)) < len(names):
        allowed, advice = "1 to 16 members with different names", "define further members as [member.NAME]"
        raise refuse("members", names, allowed, advice)
    if len(names) == 1 and method not in ALONE:
        what, advice = "the method of an ensemble of one member", "add a member or use method single"
        raise refuse(what, method, " or ".join(ALONE), advice)
    height, width, _ = shape
    for m in members:
        halvings = m.bricks - 1
        if height % 2**halvings or width % 2**halvings:
            what = f"the number of bricks of member {m.name} on {dataset} ({height}x{width} pixels)"
            allowed = "1 more than the number of times that height and width can be halved"
            raise refuse(what, m.bricks, allowed, "use fewer bricks")
