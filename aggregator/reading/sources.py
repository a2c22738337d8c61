"""Where the images of a run come from, as far as that decides whether its numbers may stand beside the paper's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from experiment.cell import Cell
from experiment.errors import ExperimentError
from experiment.prepared import read_manifest
from experiment.store import Store


def find_own_files(
    store: Store, cells: Iterable[Cell], provenance: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Returns, by data set, the files of the user's own that its cells were trained on: they need not be the publisher's.

    A data set is left out if the store does not say what its images were made from, or holds others than the cells had.

    Args:
        provenance: of the done cells, by id.
    """
    trained: dict[str, set[str]] = {}
    for cell in cells:
        if cell.id in provenance and cell.data is None:
            trained.setdefault(cell.dataset, set()).add(str(provenance[cell.id].get("dataset_sha256", "")))
    found = {}
    for dataset, sums in trained.items():
        try:
            manifest = read_manifest(store, dataset)
        except ExperimentError:  # the pictures of the data set name what is damaged
            continue
        if manifest and manifest.sha256 in sums and manifest.own_files:
            found[dataset] = manifest.own_files
    return found
