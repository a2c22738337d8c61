"""Shows a run that trains without a cluster, from the records that its attempts leave in the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from experiment import keys
from experiment.ledger import DONE, RUNNING
from experiment.run import Run
from experiment.store import Store
from k8s.cluster.observe import Observer
from k8s.cluster.states import View, cell_states
from k8s.cluster.watch import Watch

# Between two cells no attempt is known to train: a worker starts, a failed cell waits for its next attempt.
IDLE_SECONDS = 60.0


class Idleness:
    """Whether a run has ended, as far as its records tell: all of it is done, or nothing has happened for a while."""

    def __init__(self, store: Store, run: Run, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._run, self._clock = store, run, clock
        self._seen: list[str] = []
        self._busy = clock()  # when an attempt was last seen at work

    def has_ended(self, view: View) -> bool:
        """Returns whether the run has ended or nobody trains it."""
        states = [c.state for c in cell_states(view)]
        if set(states) == {DONE} and self._store.exists(keys.report(self._run.name)):
            return True
        if RUNNING in states or states != self._seen:
            self._seen, self._busy = states, self._clock()
        return self._clock() - self._busy >= IDLE_SECONDS


def watch_records(store: Store, run: Run, **more: Any) -> int:
    """Shows the run's progress until all of it is done or nobody trains it; ``more``: attributes of ``Watch``.

    Returns:
        the exit code of ``Watch.follow``.
    """
    idleness = Idleness(store, run)
    look = Observer(store, run, None).observe
    watch = Watch(store=store, run=run, look=look, has_ended=idleness.has_ended, **more)
    code = watch.follow()
    if code:
        print(
            f"nobody trains run {run.name} now: no attempt has shown itself for {IDLE_SECONDS:.0f} s; launch it again"
        )
    return code
