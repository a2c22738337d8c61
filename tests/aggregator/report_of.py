"""What a report says: its texts by path, and the cells that it calls undone."""

from __future__ import annotations

from aggregator.report.files import build_files


def text_files(material):
    return {path: data.decode() for path, data in build_files(material) if not path.endswith((".png", ".parquet"))}


def undone_states(material):
    return {s.cell.id: (s.state, s.reason) for s in material.run.undone}
