"""The protocol under simulated schedules: no fault loses a cell, changes one, or costs more than was promised.

The same schedules run each time, so that a change is judged by what it changes. SIMULATED_SCHEDULES=N draws N others, at random.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis.internal.conjecture import providers

from tests.simulation.invariants import run_schedule
from tests.simulation.schedule import Event, Fault, Schedule, schedules

DRAWN = os.environ.get("SIMULATED_SCHEDULES", "")
COUNT = int(DRAWN or "1000")
PROFILE = settings(
    max_examples=COUNT,
    deadline=None,
    database=None,
    derandomize=not DRAWN,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def drawn_alike(monkeypatch):
    """Hypothesis draws numbers from the code of whatever modules are loaded, so the tests before would change the schedules."""
    if not DRAWN:
        cache = providers.CONSTANTS_CACHE
        monkeypatch.setattr(providers, "_get_local_constants", providers.Constants)
        monkeypatch.setattr(providers, "CONSTANTS_CACHE", type(cache)(cache.max_size))


@pytest.mark.usefixtures("drawn_alike")
@pytest.mark.timeout(300 + COUNT)
@PROFILE
@given(schedules())
# Found by random schedules: a preparing pod that stands still for hours, a manifest whose file is lost, a launcher that dies
# before its collecting Job, a launch whose plan is older than a divergence, a pod that waited first and is killed in its commit.
@example(Schedule(latencies=(1,), faults=(Fault(request=48, kind="stall before", size=4),)))
@example(Schedule(latencies=(2,), events=(Event(time=13, kind="datasets"),)))
@example(Schedule(latencies=(2,), faults=(Fault(request=24, kind="kill before"),), second=12))
@example(
    Schedule(
        latencies=(0, 2, 0, 1, 0),
        faults=(Fault(79, "kill before"), Fault(132, "stall before", 2), Fault(195, "kill after")),
        events=(Event(time=0, kind="away"),),
        second=0,
    )
)
@example(Schedule(faults=(Fault(request=12, kind="stall after", size=2),), second=0, cells=3, launches=(1,)))
def test_a_schedule_keeps_the_promises(schedule):
    run_schedule(schedule)
