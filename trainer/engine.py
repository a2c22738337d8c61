"""What an attempt needs of TensorFlow, and nothing else of the trainer does: another engine trains by other means."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from experiment.cell import Cell
from experiment.members import Member
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
        self,
        cell: Cell,
        data: Dataset,
        watch: Watch,
        on_epoch_end: OnEpochEnd,
        snapshot: Snapshot | None,
        teacher: Mapping[str, bytes],
        *,
        jit: bool,
    ) -> Result:
        """Trains the cell (``trainer.model.training.train_cell``).

        Args:
            teacher: the ``.keras`` files of its teacher's members by name; empty where it has none, or goes on.

        Raises:
            Diverged: a cost became non-finite.
        """
        from trainer.model import export, training
        from trainer.model.signature import cell_networks

        networks = cell_networks(cell.teacher) if cell.teacher and teacher else ()
        arrays = {n.member.name: export.read_arrays(n, teacher[n.member.name]) for n in networks}
        return training.train_cell(
            cell, data, watch=watch, on_epoch_end=on_epoch_end, snapshot=snapshot, teacher=arrays, jit=jit
        )

    def measure_speeds(self, cell: Cell, stopping: Callable[[], bool]) -> dict[str, dict[str, float]]:
        """Returns, by model, images per second on one thread (``trainer.model.inference.measure_speeds``)."""
        from trainer.model import inference

        return inference.measure_speeds(cell, stopping)

    def export_member(self, cell: Cell, member: Member, result: Result) -> bytes:
        """Returns the content of the ``.keras`` file of a trained member."""
        from trainer.model import export
        from trainer.model.signature import cell_networks

        network = cell_networks(cell)[cell.members.index(member)]
        return export.to_bytes(export.to_keras(network, cell.info.shape, result.arrays[member.name]))


TENSORFLOW = Engine()
