"""The small JSON records: progress, failures, outcomes and speeds. Written by the trainer, read by everyone."""

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
    """The time as records give it: UTC, ISO 8601, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a cell in training is.

    Attributes:
        epoch: epochs finished.
        step: steps finished since the start of training, of ``steps``.
        images_per_second: training images per second lately, all members together counted once.
        seconds_left: until the cell's commit, at that speed.
        time: UTC, ISO 8601.
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
    """What ended an attempt without a result.

    Attributes:
        kind: invalid, diverged, transient, interrupted or error (``experiment.errors``).
        exit_code: of the attempt's process.
        message: one line for the user.
        time: UTC, ISO 8601.
        epoch: epochs finished before it, where known.
        traceback: of an error that no rule foresaw.
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
    """How a warm worker's work on one cell ended.

    Attributes:
        state: committed (by this attempt), found (another had committed it), held (another process of this
            machine is at it) or failed.
        kind: of the failure.
        message: of the failure, one line.
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
        device: the device's name as TensorFlow or the system gives it.
        dataset: data set whose image shape was trained.
        members: names of the members, joined by +.
        images_per_second: training images per second of one worker or device, all members together counted once.
        time: UTC, ISO 8601.
    """

    device: str
    dataset: str
    members: str
    precision: str
    images_per_second: float
    time: str


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a result was made with: the metadata of its Parquet files.

    Attributes:
        arithmetic: of the convolutions, float32 or bfloat16: what ``precision`` came to on the device that began the cell.
        packages: versions of the packages that decide the numbers.
        started, ended: UTC, ISO 8601, of the attempt that committed.
        resumed_from_step: the step of the checkpoint that the attempt went on from; 0 if it began anew.
        training_seconds: wall time in epochs, over all attempts.
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
    """The record as one line of JSON that names its kind."""
    return json.dumps({"record": type(record).__name__.lower(), **dataclasses.asdict(record)}, sort_keys=True)


def to_bytes(record: Record) -> bytes:
    """The record as the content of an object in the store."""
    return to_line(record).encode()


def parse_record(data: bytes | str, source: str) -> Any:
    """The record in that JSON; ``source`` names it in errors.

    Raises:
        InvalidInput: it is no record of a known kind.
    """
    try:
        fields = json.loads(data)
        kind = _KINDS[fields.pop("record")]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidInput(
            f"{source} is not a record of this suite; allowed: {', '.join(_KINDS)}; remove it"
        ) from error
    return from_fields(kind, fields)
