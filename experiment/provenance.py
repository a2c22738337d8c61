"""The origin of a result, in the metadata of its Parquet files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from experiment.errors import InvalidInput
from experiment.fields import check_fields
from experiment.sealed import SHAPELESS

METADATA = b"collaborative_ensembles"  # one JSON object: schema_version, table and provenance


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The origin of a result, stored in the metadata of its Parquet files.

    Attributes:
        arithmetic: arithmetic of the convolutions, float32 or bfloat16, as the device that began the cell chose it.
        packages: versions of the packages that determine the numbers.
        started, ended: start and end of the committing attempt in UTC, ISO 8601.
        resumed_from_step: step of the checkpoint from which the attempt went on; 0 without a checkpoint.
        training_seconds: wall time of the epochs of all attempts.
        peak_memory_bytes: largest resident size of the process.
        inference: by model, what inference with it takes (``experiment.inference``); what was not measured is absent.
        processor: name of the processor on which the inference was measured; empty where none was.
        trained_on: device, packages, git commit and image of the training, with the step from which on each was so
            (``from_step``); more than one where a resumed attempt ran on something else than the one before it.
    """

    attempt: str
    numerics: int
    git_commit: str
    image: str
    device: str
    arithmetic: str
    packages: Mapping[str, str]
    dataset_sha256: str
    deterministic: bool
    started: str
    ended: str
    resumed_from_step: int
    training_seconds: float
    peak_memory_bytes: int
    inference: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    processor: str = ""
    trained_on: Sequence[Mapping[str, Any]] = ()


def read_provenance(schema: pa.Schema, source: str) -> dict[str, Any]:
    """Returns what the trainer recorded in the file's metadata: attempt, versions, device, times, checksums.

    Raises:
        InvalidInput: the file has no metadata of this suite.
    """
    try:
        found: dict[str, Any] = dict(json.loads((schema.metadata or {})[METADATA]))
    except SHAPELESS as error:
        given = f"{source} was not written by this suite: it lacks the suite's metadata"
        raise InvalidInput(f"{given}; remove it from the store") from error
    check_fields(Provenance, found, source)
    return found
