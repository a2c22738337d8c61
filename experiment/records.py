"""The small JSON records that the trainer writes: turns, progress, starts, failures, outcomes and speeds."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from experiment.errors import InvalidInput, escape_controls
from experiment.fields import check_fields, from_fields
from experiment.sealed import SHAPELESS


def utc_now() -> str:
    """Returns the time as records hold it: UTC, ISO 8601, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def parse_time(text: str) -> datetime:
    """Returns the time that a record holds, in UTC where it names no zone; the earliest of all where it is no time."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def is_recent(text: str, now: datetime, seconds: float) -> bool:
    """Returns whether the time that a record holds is so near. One hours ahead is not: it would keep a dead attempt alive."""
    return abs((now - parse_time(text)).total_seconds()) < seconds


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
class Start:
    """The start of a cell's latest attempt.

    Attributes:
        step: step of the checkpoint from which the attempt goes on; 0 without one.
        starts: number of attempts in a row that began at this step, with this one.
        time: time in UTC, ISO 8601.
    """

    cell: str
    attempt: str
    step: int
    starts: int
    time: str


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
class Turn:
    """The turn of a cell in a pool: the worker of this place begins to try it."""

    index: int
    cell: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a warm worker's work on one cell.

    Attributes:
        state: committed (by this attempt), found (another attempt had committed it), held (another process trains
            it: a pool waits for that, then tries it again) or failed.
        kind: kind of the failure.
        message: message of the failure, one line.
    """

    index: int
    cell: str
    state: str
    kind: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """What holds a cell for one attempt (``experiment.lease``).

    Attributes:
        holder: who holds the cell, in words; empty where the lease was ended because its holder did not renew it.
        seat: a place that one process at a time can have; empty without one.
        token: unique to this taking of the cell.
        renewals: how often the holder has renewed it.
    """

    cell: str
    holder: str
    seat: str
    token: str
    renewals: int = 0


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


Record = Turn | Progress | Start | Failure | Outcome | Lease | Throughput
_KINDS: dict[str, type[Any]] = {c.__name__.lower(): c for c in get_args(Record)}


def to_line(record: Record) -> str:
    """Returns the record as one line of JSON that names its kind."""
    return json.dumps({"record": type(record).__name__.lower(), **dataclasses.asdict(record)}, sort_keys=True)


def to_bytes(record: Record) -> bytes:
    """Returns the record as the content of an object in the store."""
    return to_line(record).encode()


def parse_record(data: bytes | str, source: str) -> Any:
    """Returns the record that the JSON holds; ``source`` names it in errors.

    Whatever steers a terminal comes back as escapes, because people are shown its texts.

    Raises:
        InvalidInput: the JSON is not a record of a known kind, or a field is of another type.
    """
    try:
        fields = json.loads(data)
        kind = _KINDS[fields.pop("record")]
    except SHAPELESS as error:
        allowed = ", ".join(_KINDS)
        raise InvalidInput(f"{source} is not a record of this suite; allowed: {allowed}; remove it") from error
    check_fields(kind, fields, source)
    shown = {
        k: escape_controls(v, keep="\n" if k == "traceback" else "") for k, v in fields.items() if isinstance(v, str)
    }
    return from_fields(kind, {**fields, **shown})
