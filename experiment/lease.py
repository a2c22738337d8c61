"""Leases: one process at a time holds a cell, whatever machines use the store, and whatever locks they have.

A lease is a small object, ``leases/CELL/NUMBER.json``; the one of the highest number counts, and ``put_once`` decides who
gets a number. Its holder renews it, and at the end removes it with all older ones. Another process may end a lease that was
not renewed for a whole term of its own clock, so no two clocks are ever compared. A holder that finds a later lease gives
the cell up. Leases save work and never decide what a result is: the commit does.
"""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass

from experiment import keys, records
from experiment.errors import ExperimentError, InvalidInput, NotFound
from experiment.records import Lease
from experiment.store import Store

TERM = 60.0  # seconds without a renewal after which a lease may be ended


class LeaseLost(ExperimentError):
    """Another process has the cell now, because this one stalled for longer than a term or was replaced."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who wants to hold a cell.

    Attributes:
        name: in words, for those who wait.
        seat: a place that one process at a time can have, such as a completion index of one Job: whoever has it now takes
            over from whoever had it before. Without one, the lock of this machine is the seat.
        term: seconds of a lease.
    """

    name: str
    seat: str = ""
    term: float = TERM


class HeldLease:
    """A lease that this process holds, until it is released or lost."""

    def __init__(self, store: Store, number: int, record: Lease) -> None:
        self.is_lost = False
        self._store, self._number, self._record = store, number, record
        self._key = keys.lease(record.cell, number)

    def renew(self) -> None:
        """Shows that the holder lives, or finds that the lease is lost.

        Raises:
            Transient, InvalidInput: the store is away or refuses; the lease is neither renewed nor lost.
        """
        if not self._is_own():
            self.is_lost = True
            return
        self._record = dataclasses.replace(self._record, renewals=self._record.renewals + 1)
        self._store.put(self._key, records.to_bytes(self._record))
        self.is_lost = self._store.exists(keys.lease(self._record.cell, self._number + 1))

    def check(self) -> None:
        """Raises LeaseLost if another process has the cell."""
        if self.is_lost:
            raise LeaseLost(f"{self._record.cell} is in the hands of another process now")

    def release(self) -> None:
        """Removes the lease, and older ones of holders that ended without doing so."""
        if self._is_own():
            for key in list(self._store.list(keys.folder(keys.LEASES, self._record.cell))):
                if key <= self._key:
                    self._store.delete(key)

    def _is_own(self) -> bool:
        record = parse_lease(_read(self._store, self._key) or b"")
        return record is not None and record.token == self._record.token


def take_lease(store: Store, cell_id: str, holder: Holder) -> HeldLease | None:
    """Returns a new lease on a cell; None if another process holds it. Nobody renews it yet.

    Raises:
        Transient, InvalidInput: the store is away or refuses.
    """
    number, newest = newest_lease(store, cell_id)
    record = parse_lease(newest or b"")
    if number and not (record and is_open(record, holder.seat)):
        return None
    mine = Lease(cell=cell_id, holder=holder.name, seat=holder.seat, token=uuid.uuid4().hex)
    return HeldLease(store, number + 1, mine) if _put_next(store, number, newest, mine) else None


def end_lease(store: Store, cell_id: str, number: int, seen: bytes | None) -> None:
    """Ends the lease of this number for its holder, unless another stands there now: the cell can be taken at once."""
    _put_next(store, number, seen, Lease(cell=cell_id, holder="", seat="", token=uuid.uuid4().hex))


def _put_next(store: Store, number: int, seen: bytes | None, lease: Lease) -> bool:
    """Puts a lease after the one that was seen under a number, and returns whether it is the one that counts.

    A release removes all leases, so numbers begin again: what was put by whoever had looked before a release would stand
    beside the lease of the next holder, under another number.
    """
    key = keys.lease(lease.cell, number + 1)
    if not store.put_once(key, records.to_bytes(lease), lease.token):
        return False
    if max(_list_numbers(store, lease.cell), default=0) > number + 1:
        return False  # a later one counts, and its release removes this one, too
    if number and _identify(_read(store, keys.lease(lease.cell, number))) != _identify(seen):
        store.delete(key)
        return False
    return True


def _identify(content: bytes | None) -> str | bytes | None:
    """Returns what stays the same while a lease is renewed: its token, or all of what is damaged."""
    record = parse_lease(content or b"")
    return record.token if record else content


def is_open(record: Lease, seat: str) -> bool:
    """Returns whether a process in this seat may take over at once."""
    return not record.holder or (record.seat != "" and record.seat == seat)


def newest_lease(store: Store, cell_id: str) -> tuple[int, bytes | None]:
    """Returns number and content of the lease that counts: 0 where there is none, no content where it was released meanwhile."""
    number = max(_list_numbers(store, cell_id), default=0)
    return number, _read(store, keys.lease(cell_id, number)) if number else None


def _list_numbers(store: Store, cell_id: str) -> list[int]:
    listed = store.list(keys.folder(keys.LEASES, cell_id))
    return [n for key in listed if (n := keys.number_of(key)) is not None]


def _read(store: Store, key: str) -> bytes | None:
    try:
        return store.read(key)
    except NotFound:
        return None


def parse_lease(data: bytes) -> Lease | None:
    """Returns the lease of this content; None where it is damaged, which counts as held until it has been ended."""
    try:
        record = records.parse_record(data, "a lease")
    except InvalidInput:
        return None
    return record if isinstance(record, Lease) else None
