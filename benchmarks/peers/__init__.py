"""The programs that train the same ensemble on the same images: each offers ``prepare(workload) -> steps``.

``steps(n)`` trains n mini-batches and returns when they are done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiment.cell import Cell
from experiment.datasets import DATASETS

Steps = Callable[[int], None]
EXAMPLES = 6_400  # of made images: speed does not depend on what they show


@dataclass(frozen=True)
class Workload:
    """A data set's shape, trained by the paper's ST and M with l2 0.01."""

    dataset: str

    @property
    def cell(self) -> Cell:
        """The cell that all peers train."""
        return Cell(dataset=self.dataset, method="l2", alpha=0.01)

    def images(self) -> np.ndarray:
        """(``EXAMPLES``, height, width, channels) uint8."""
        rng = np.random.default_rng(0)
        return rng.integers(0, 256, (EXAMPLES, *DATASETS[self.dataset].shape), dtype=np.uint8)

    def labels(self) -> np.ndarray:
        """(``EXAMPLES``,) int32."""
        return np.random.default_rng(1).integers(0, 10, EXAMPLES, dtype=np.int32)

    def flops_per_image(self) -> int:
        """Multiplications and additions of convolutions and linear maps, forward and twice that backward, all members."""
        from trainer.model.architecture import layers

        height, width, channels = DATASETS[self.dataset].shape
        total = 0
        for member in self.cell.members:
            area = height * width
            for layer in layers(member, channels, self.cell.head):
                if layer.kind == "conv":
                    # a block's strided path comes before its shortcut, which reads the block's larger input
                    shortcut = layer.name.endswith("shortcut")
                    area = area // layer.stride**2 if not shortcut else area
                    total += 2 * area * layer.size**2 * layer.channels[0] * layer.channels[1]
                elif layer.kind == "linear":
                    total += 2 * layer.channels[0] * layer.channels[1]
        return 3 * total
