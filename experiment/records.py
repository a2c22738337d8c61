"""The small JSON records that the trainer writes: progress, failures, outcomes and speeds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from experiment.cell import from_fields
from experiment.errors import InvalidInput


def utc_now() -> str:
    """Returns the time as records hold it: UTC, ISO 8601, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of a cell in training.

    Attributes:
        epoch: number of finished epochs, of ``epochs``.
        step: number of finished steps since the start of training, of ``steps``.
        images_per_second: recent speed in training images per second; an image counts once for all members.
        seconds_left: time until the commit at that speed.
        time: time in UTC, ISO 8601.
        device: name of the device that trains; it begins with CPU where TensorFlow has no GPU.
    """

    cell: str
    attempt: str
    epoch: int
    epochs: int
    step: int
    steps: int
    images_per_second: float
    seconds_left: float
    time: str
    device: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The failure that ended an attempt without a result.

    Attributes:
        kind: invalid, diverged, transient, interrupted or error (``experiment.errors``).
        exit_code: exit code of the attempt's process.
        message: one line for the user.
        time: time in UTC, ISO 8601.
        epoch: number of epochs finished before the failure, where known.
        traceback: traceback of an unforeseen error.
    """

    cell: str
    attempt: str
    kind: str
    exit_code: int
    message: str
    time: str
    epoch: int | None = None
    traceback: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a warm worker's work on one cell.

    Attributes:
        state: committed (by this attempt), found (another attempt had committed it), held (another process of
            this machine trains it) or failed.
        kind: kind of the failure.
        message: message of the failure, one line.
    """

    index: int
    cell: str
    state: str
    kind: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """A measured training speed.

    Attributes:
        device: name of the device, from TensorFlow or the system.
        dataset: data set with the image shape of the measurement.
        members: names of the members, joined by +.
        images_per_second: training images per second of one worker or device; an image counts once for all members.
        time: time in UTC, ISO 8601.
    """

    device: str
    dataset: str
    members: str
    precision: str
    images_per_second: float
    time: str


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


Record = Progress | Failure | Outcome | Throughput
_KINDS: dict[str, type[Any]] = {c.__name__.lower(): c for c in (Progress, Failure, Outcome, Throughput)}


def to_line(record: Record) -> str:
    """Returns the record as one line of JSON that names its kind."""
    return json.dumps({"record": type(record).__name__.lower(), **dataclasses.asdict(record)}, sort_keys=True)


def to_bytes(record: Record) -> bytes:
    """Returns the record as the content of an object in the store."""
    return to_line(record).encode()


def parse_record(data: bytes | str, source: str) -> Any:
    """Returns the record that the JSON holds; ``source`` names it in errors.

    Raises:
        InvalidInput: the JSON is not a record of a known kind.
    """
    try:
        fields = json.loads(data)
        kind = _KINDS[fields.pop("record")]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        allowed = ", ".join(_KINDS)
        raise InvalidInput(f"{source} is not a record of this suite; allowed: {allowed}; remove it") from error
    return from_fields(kind, fields)
