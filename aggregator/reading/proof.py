"""Proves committed cells: that their rows and artifacts are whole, and are what their commits say they are."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aggregator.reading.epochs import read_epochs, to_frame
from aggregator.reading.images import read_prepared
from aggregator.reading.predictions import Expected, digest_predictions, expect_predictions
from aggregator.reading.rows import find_contradictions, find_row_problems
from experiment import artifacts, keys, results
from experiment.artifacts import Artifact
from experiment.cell import Cell
from experiment.errors import ExperimentError, InvalidInput, NotFound, Transient, describe_error
from experiment.ledger import Problem
from experiment.parallel import map_parallel
from experiment.store import Store

TRAINED_ON = "dataset_sha256"  # of the provenance


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What a store shows of some committed cells.

    Attributes:
        problems: what is not whole.
        judged: ids of the cells whose commit can be read.
        unproved: by cell id, what cannot be proved, because its commit is older than digests.
        named: the keys of the artifacts that belong to the commits.
        trained_on: by key of a commit, the data set of its cell and the digest of that data set, where it is known.
    """

    problems: tuple[Problem, ...] = ()
    judged: frozenset[str] = frozenset()
    unproved: Mapping[str, str] = dataclasses.field(default_factory=dict)
    named: frozenset[str] = frozenset()
    trained_on: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Head:
    """What the artifacts of a committed cell are compared with.

    Attributes:
        commit: the key of ``epochs.parquet``.
        expected: what the rows say of the predictions.
        facts: what the file says of its origin.
        known: columns of the predictions that the rows hold too.
    """

    commit: str
    cell: str
    dataset: str
    members: Sequence[str]
    expected: Expected
    facts: Mapping[str, Any]
    known: Mapping[Any, Any]


def prove_cells(store: Store, commits: Sequence[str], known: Mapping[str, Cell]) -> Proof:
    """Reads the cells that are committed under these keys, all of each, and says what is not whole.

    Args:
        known: by id, the cells of frozen grids, which the rows are compared with.

    Raises:
        Transient: the store is away.
    """
    found = read_epochs(store, commits, cells=known)
    frame = to_frame(found.epochs)
    heads = _list_heads(frame, found.provenance)
    rows = (*found.problems, *find_row_problems(frame), *find_contradictions(frame, known))
    return join_proofs([Proof(problems=rows), *map_parallel(store, functools.partial(_prove_artifacts, store), heads)])


def join_proofs(parts: Iterable[Proof]) -> Proof:
    """Returns what several proofs show together."""
    parts = list(parts)
    return Proof(
        problems=tuple(problem for part in parts for problem in part.problems),
        judged=frozenset().union(*(part.judged for part in parts)),
        unproved={cell: reason for part in parts for cell, reason in part.unproved.items()},
        named=frozenset().union(*(part.named for part in parts)),
        trained_on={commit: data for part in parts for commit, data in part.trained_on.items()},
    )


def prove_datasets(store: Store, trained_on: Mapping[str, tuple[str, str]]) -> list[Problem]:
    """Returns the prepared data sets that are not whole, and the cells that were trained on other ones than the store's."""
    digests: dict[str, str] = {}
    problems = []
    for name in sorted({name for name, _ in trained_on.values()}):
        try:
            digests[name] = read_prepared(store, name)[0].sha256
        except NotFound:
            continue  # results may be copied without it
        except InvalidInput as error:
            problems.append(Problem(key=keys.dataset_manifest(name), reason=describe_error(error)))
    for commit, (name, digest) in trained_on.items():
        if digests.get(name, digest) != digest:
            given = f"it was trained on {name} with sha256 {digest}, and the store's has {digests[name]}"
            advice = "put that data set back, or remove it and launch its run again"
            cell = next(iter(keys.committed([commit])), "")
            problems.append(Problem(key=commit, cell=cell, reason=f"{given}; {advice}"))
    return problems


def _list_heads(frame: pd.DataFrame, provenance: Mapping[str, Mapping[str, Any]]) -> list[Head]:
    expected = expect_predictions(frame)
    names = ["dataset", "method", "cell_id", "members", "alpha", "seed"]
    first = frame.drop_duplicates("cell_id")[names].to_dict("records")
    return [
        Head(
            commit=keys.epochs_of(row["dataset"], row["method"], row["cell_id"]),
            cell=row["cell_id"],
            dataset=row["dataset"],
            members=row.pop("members").split("+"),
            expected=expected[row["cell_id"]],
            facts=provenance[row["cell_id"]],
            known=row,
        )
        for row in first
    ]


def _prove_artifacts(store: Store, head: Head) -> Proof:
    source = f"{store.url}/{head.commit}"
    is_old = not artifacts.are_named(head.facts)
    expected = [keys.predictions_of(head.commit), *(keys.model(head.cell, member) for member in head.members)]
    problems, lacking, named = [], [], set()
    for usual in expected:
        key = usual
        try:
            artifact = artifacts.find_artifact(head.facts, usual, head.commit, source)
            named.add(key := artifact.key)
            _prove_artifact(store, artifact, head)
        except NotFound as error:
            lacking.append(usual)
            problems += [] if is_old else [Problem(key=key, cell=head.cell, reason=describe_error(error))]
        except Transient:
            raise
        except ExperimentError as error:
            problems.append(Problem(key=key, cell=head.cell, reason=describe_error(error)))
    digest = head.facts.get(TRAINED_ON)
    return Proof(
        problems=tuple(problems),
        judged=frozenset([head.cell]),
        unproved={head.cell: _describe_old(lacking)} if is_old else {},
        named=frozenset(named),
        trained_on={head.commit: (head.dataset, str(digest))} if digest else {},
    )


def _describe_old(lacking: Iterable[str]) -> str:
    absent = f"; {', '.join(lacking)} absent" if lacking else ""
    return f"committed before commits named digests: that its artifacts are its own is not proved{absent}"


def _prove_artifact(store: Store, artifact: Artifact, head: Head) -> None:
    """Raises the error of an artifact that is not whole, or not of the attempt that committed the cell."""
    data = artifacts.read_artifact(store, artifact)
    if artifact.key.startswith(keys.MODELS):
        return
    source = f"{store.url}/{artifact.key}"
    table = results.from_bytes(data, "predictions", source, head.known)
    try:
        digest_predictions(table, head.expected, source)
    except InvalidInput as error:
        raise InvalidInput(f"{describe_error(error)}; {artifacts.MEND.format(commit=head.commit)}") from error
