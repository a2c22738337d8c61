"""What a schedule consists of, and how hypothesis draws one: it shrinks to few faults, at early requests."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

LATENCIES = (0.05, 0.4, 3.0)  # seconds of half a request
DURATIONS = (5.0, 45.0, 400.0, 2500.0, 9000.0)  # seconds of a stall, of a late answer, of an outage
ERRORS = ("away", "SlowDown", "AccessDenied", "ExpiredToken")
# What befalls one request, whose effect on the store comes first or not at all:
KINDS = (
    *("kill before", "kill after"),  # the process dies
    *("evict before", "evict after"),  # its pod is told to stop, and replaced
    *("stall before", "stall after"),  # the process stands still
    *(
        "leave before",
        "leave after",
    ),  # as a stall, but its pod counts as lost and is replaced: it comes back as a ghost
    *("lost", "refused"),  # no answer arrives; the request does not arrive
    "late",  # the answer comes late
    "delayed",  # the client gives up, and the request takes effect after that
)
FORGOTTEN = ("checkpoints", "progress", "datasets")  # what a lifecycle rule may remove
SKEWS = (0, -7, 3, 14)  # hours by which the clock of a machine is wrong


@dataclass(frozen=True)
class Fault:
    """What befalls one request; ``size`` is an index of ``DURATIONS``.

    Attributes:
        request: its number, counted over all processes, or words of its operation and key: then it is the first that has them.
    """

    request: int | str
    kind: str
    size: int = 0


@dataclass(frozen=True)
class Event:
    """What happens at a time without a request: an outage begins, a rule removes objects, a checkpoint is damaged."""

    time: int  # in units of 10 seconds
    kind: str
    size: int = 0


@dataclass(frozen=True)
class Schedule:
    """One course of events.

    Attributes:
        latencies: indexes of ``LATENCIES`` that the requests have in turn: with them, which of two racing is first.
        second: when the second run is launched, in units of 10 seconds; None: there is one run.
        skews: indexes of ``SKEWS`` that the machines have in turn.
        launches: when somebody launches again although nothing is known to have failed, in units of 10 seconds.
    """

    latencies: tuple[int, ...] = (0,)
    faults: tuple[Fault, ...] = ()
    events: tuple[Event, ...] = ()
    second: int | None = None
    cells: int = 1
    skews: tuple[int, ...] = (0,)
    launches: tuple[int, ...] = ()


def _few(strategy: st.SearchStrategy, most: int) -> st.SearchStrategy:
    return st.lists(strategy, max_size=most).map(tuple)


def schedules() -> st.SearchStrategy[Schedule]:
    """Draws schedules."""
    sizes = st.integers(0, len(DURATIONS) - 1)
    faults = st.builds(Fault, request=st.integers(0, 300), kind=st.sampled_from(KINDS), size=sizes)
    kinds = st.sampled_from([*ERRORS, *FORGOTTEN, "damage"])
    events = st.builds(Event, time=st.integers(0, 90), kind=kinds, size=sizes)
    return st.builds(
        Schedule,
        latencies=st.lists(st.integers(0, len(LATENCIES) - 1), min_size=1, max_size=6).map(tuple),
        faults=_few(faults, 5),
        events=_few(events, 3),
        second=st.none() | st.integers(0, 30),
        cells=st.sampled_from((1, 1, 2, 3)),
        skews=st.lists(st.integers(0, len(SKEWS) - 1), min_size=1, max_size=3).map(tuple),
        launches=_few(st.integers(0, 60), 2),
    )
