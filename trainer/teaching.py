"""The teacher of a student, read from the store before the training begins."""

from __future__ import annotations

from experiment import artifacts, keys, results
from experiment.cell import Cell
from experiment.errors import NotFound, Transient
from experiment.provenance import read_provenance
from experiment.store import Store


def read_teacher(store: Store, cell: Cell) -> dict[str, bytes]:
    """Returns the ``.keras`` files of the members of a cell's teacher by name, checked against its commit; none without one.

    Raises:
        Transient: the teacher is not trained yet. The launchers train it first.
        InvalidInput: it is damaged.
    """
    teacher = cell.teacher
    if teacher is None:
        return {}
    commit = keys.epochs(teacher)
    source = f"{store.url}/{commit}"
    try:
        data = store.read(commit)
    except NotFound as error:
        given = f"{cell.id} learns from {teacher.id}, which has no result in {store.url}"
        raise Transient(f"{given}; launch a grid that holds it, or this one again") from error
    facts = read_provenance(results.from_bytes(data, "epochs", source).schema, source)
    files = {
        m.name: artifacts.read_named(store, facts, keys.model(teacher.id, m.name), commit) for m in teacher.members
    }
    return {name: content for name, (content, _) in files.items()}
