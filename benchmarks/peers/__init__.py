"""The programs that train the same ensemble on the same images; each has ``prepare_steps(workload) -> steps``.

``steps(n)`` trains n mini-batches and returns when they are done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiment.cell import Cell
from experiment.datasets import DATASETS

Steps = Callable[[int], None]
EXAMPLES = 6_400  # random images: the speed does not depend on their content


@dataclass(frozen=True)
class Workload:
    """Images of a data set's shape, on which the paper's ST and M are trained with l2 0.01."""

    dataset: str

    @property
    def cell(self) -> Cell:
        """The cell that all peers train."""
        return Cell(dataset=self.dataset, method="l2", alpha=0.01)

    def images(self) -> np.ndarray:
        """Returns random images, (``EXAMPLES``, height, width, channels) uint8."""
        rng = np.random.default_rng(0)
        return rng.integers(0, 256, (EXAMPLES, *DATASETS[self.dataset].shape), dtype=np.uint8)

    def labels(self) -> np.ndarray:
        """Returns random labels, (``EXAMPLES``,) int32."""
        return np.random.default_rng(1).integers(0, 10, EXAMPLES, dtype=np.int32)

    def flops_per_image(self) -> int:
        """Returns the multiplications and additions of all members' convolutions and linear layers, forward and backward.

        The backward pass counts as two forward passes.
        """
        from trainer.model.architecture import member_layers

        height, width, channels = DATASETS[self.dataset].shape
        total = 0
        for member in self.cell.members:
            area = height * width
            for layer in member_layers(member, channels, self.cell.head):
                if layer.kind == "conv":
                    # a block's strided path comes before its shortcut, which reads the block's larger input
                    shortcut = layer.name.endswith("shortcut")
                    area = area // layer.stride**2 if not shortcut else area
                    total += 2 * area * layer.size**2 * layer.channels[0] * layer.channels[1]
                elif layer.kind == "linear":
                    total += 2 * layer.channels[0] * layer.channels[1]
        return 3 * total
