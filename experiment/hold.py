"""Holding a cell while it is trained, and watching a cell that another process holds.

On one machine a lock tells at once that the holder has ended. Between machines a lease does so, after a term.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator

from experiment import keys
from experiment.errors import ExperimentError
from experiment.lease import TERM, HeldLease, Holder, end_lease, is_open, newest_lease, parse_lease, take_lease
from experiment.store import Store

RENEWALS = 4  # in a term


@contextlib.contextmanager
def hold_cell(store: Store, cell_id: str, holder: Holder) -> Iterator[HeldLease | None]:
    """Holds a cell until the block or the process ends. Yields None if another process holds it.

    The lease is renewed by a thread of its own, and may be lost all the same: ``HeldLease.check``.

    Raises:
        Transient, InvalidInput: the store is away or refuses.
    """
    with store.lock(cell_id) as lock:
        lease = (
            take_lease(store, cell_id, dataclasses.replace(holder, seat=holder.seat or lock.place)) if lock else None
        )
        if lease is None:
            yield None
            return
        ended = threading.Event()
        keeper = threading.Thread(target=_keep_lease, args=(lease, ended, holder.term / RENEWALS), daemon=True)
        keeper.start()
        try:
            yield lease
        finally:
            ended.set()
            keeper.join()
            with contextlib.suppress(ExperimentError):  # what is left expires
                lease.release()


def _keep_lease(lease: HeldLease, ended: threading.Event, pause: float) -> None:
    while not lease.is_lost and not ended.wait(pause):
        with contextlib.suppress(ExperimentError):  # whoever waits for the cell cannot reach the store either
            lease.renew()


class CellWatch:
    """Looks at a cell in another process's hands until it can be taken.

    Attributes:
        holder: who holds it, in words, as far as it is known.
    """

    def __init__(
        self, store: Store, cell_id: str, *, term: float = TERM, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.holder = "another process of this machine"
        self._store, self._cell, self._term, self._clock = store, cell_id, term, clock
        self._seen: tuple[int, bytes] | None = None
        self._quiet = self._looked = 0.0

    def look(self) -> bool:
        """Returns whether nobody holds the cell; ends a lease that has not changed for a term.

        Raises:
            Transient, InvalidInput: the store is away or refuses.
        """
        with self._store.lock(self._cell) as lock:
            if lock is None:  # its holder lives, on this machine
                return False
        number, newest = newest_lease(self._store, self._cell)
        if newest is None:
            return True
        record = parse_lease(newest)
        if record and is_open(record, lock.place):
            return True
        self.holder = record.holder if record else f"whoever wrote {keys.lease(self._cell, number)}"
        if self._add_quiet((number, newest)) < self._term:
            return False
        end_lease(self._store, self._cell, number, newest)
        self._seen = None
        return True

    def _add_quiet(self, seen: tuple[int, bytes]) -> float:
        """Returns for how long the lease has been seen without a change, in seconds.

        Between two looks no more counts than a holder needs to renew: while the store was away, it could not.
        """
        now = self._clock()
        passed = min(now - self._looked, self._term / RENEWALS)
        self._quiet = self._quiet + passed if seen == self._seen else 0.0
        self._seen, self._looked = seen, now
        return self._quiet
