"""What a cell was trained on: device, versions and image of every attempt, from its first step to its commit.

An attempt goes on from another's checkpoint, which may be of another machine: the result then belongs to both.
"""

from __future__ import annotations

from typing import Any

from trainer.model.types import Snapshot
from trainer.options import AttemptOptions


def extend_origins(snapshot: Snapshot | None, options: AttemptOptions) -> list[dict[str, Any]]:
    """Returns the origins of a training that this attempt begins, or takes up: a record from each step on at which they changed.

    A checkpoint of a version that kept none begins with this attempt's record, at the step from which it goes on.
    """
    here = {
        "device": options.engine.device_name(),
        "packages": dict(options.engine.package_versions()),
        "git_commit": options.git_commit,
        "image": options.image,
    }
    known, step = (snapshot.origins, snapshot.step) if snapshot else ([], 0)
    if known and {name: known[-1].get(name) for name in here} == here:
        return known
    return [*known, {"from_step": step, **here}]
