"""What an attempt needs of TensorFlow, and nothing else of the trainer does: another engine trains by other means."""

from __future__ import annotations

from collections.abc import Callable

from experiment.cell import Cell, Member
from trainer.model.types import Dataset, OnEpochEnd, Result, Snapshot, Watch


class Engine:
    """TensorFlow on this machine. It is imported at the first use: that takes seconds."""

    def device_name(self) -> str:
        """Returns the name of the device that trains, as results and progress records have it."""
        from trainer.model import device

        return device.device_name()

    def peak_memory_bytes(self) -> int:
        """Returns the largest resident size of this process so far."""
        from trainer.model import device

        return device.peak_memory_bytes()

    def processor_name(self) -> str:
        """Returns the name of the processor, also where a GPU trains."""
        from trainer.model import device

        return device.processor_name()

    def package_versions(self) -> dict[str, str]:
        """Returns the versions of the packages that determine the numbers."""
        from trainer.model import device

        return device.package_versions()

    def rehearse_export(self) -> None:
        """Exports a small network, so that whatever would fail at the commit fails before the training.

        Raises:
            InvalidInput, Transient: a model cannot be made.
        """
        from trainer.model import export

        export.rehearse_export()

    def train_cell(
        self, cell: Cell, data: Dataset, watch: Watch, on_epoch_end: OnEpochEnd, snapshot: Snapshot | None, *, jit: bool
    ) -> Result:
        """Trains the cell (``trainer.model.training.train_cell``).

        Raises:
            Diverged: a cost became non-finite.
        """
        from trainer.model import training

        return training.train_cell(cell, data, watch=watch, on_epoch_end=on_epoch_end, snapshot=snapshot, jit=jit)

    def measure_speeds(self, cell: Cell, stopping: Callable[[], bool]) -> dict[str, dict[str, float]]:
        """Returns, by model, images per second on one thread (``trainer.model.inference.measure_speeds``)."""
        from trainer.model import inference

        return inference.measure_speeds(cell, stopping)

    def export_member(self, cell: Cell, member: Member, result: Result) -> bytes:
        """Returns the content of the ``.keras`` file of a trained member."""
        from trainer.model import export
        from trainer.model.networks import Network
        from trainer.model.recipe import RECIPES

        info = cell.info
        network = Network(member, info.shape[2], cell.head, RECIPES[cell.recipe], info.classes)
        return export.to_bytes(export.to_keras(network, info.shape, result.arrays[member.name]))


TENSORFLOW = Engine()
