"""The simulation finds mistakes: each wrong version of the code breaks a promise in its schedule, the right one does not."""

from __future__ import annotations

import pytest

from tests.simulation.invariants import Broken, run_schedule
from tests.simulation.mutants import mistaken
from tests.simulation.schedule import Event, Fault, Schedule

SCHEDULES = {
    "the commit before the predictions": Schedule(faults=(Fault("PutObject predictions", "kill before"),)),
    "artifacts of another attempt relied upon": Schedule(faults=(Fault("PutObject predictions", "kill after"),)),
    "checkpoints removed before the commit": Schedule(faults=(Fault("PutObject models", "kill before"),)),
    "a lost answer ignored": Schedule(faults=(Fault("PutObject epochs", "lost"),)),
    "an outage not waited out": Schedule(events=(Event(7, "AccessDenied", 2),)),
    "Jobs before their lists": Schedule(faults=(Fault("PutObject runs/first/jobs", "kill before"),)),
    "a lease that is not renewed": Schedule(second=0),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_mistake_is_found(name):
    run_schedule(SCHEDULES[name])

    with mistaken(name), pytest.raises(Broken):
        run_schedule(SCHEDULES[name])
