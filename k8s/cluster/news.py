"""What is worth a line to whoever watches a run: what happened to its cells, and what keeps them waiting. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from experiment.ledger import DONE, FAILED, WAITING
from k8s.cluster.states import HELD, IN_TURN, CellState, describe_cell
from k8s.wording import count_cells

# Every run goes through these; what is worth a line is why they last.
ORDINARY = ("waits for its turn", "waits for its containers", "waits for its data set", IN_TURN)


def describe_changes(before: Mapping[int, CellState], now: Mapping[int, CellState]) -> list[str]:
    """Returns what happened to cells between two observations, one line each."""
    lines = []
    for index, cell in now.items():
        earlier = before.get(index)
        if earlier is None:
            continue
        if earlier.state != cell.state and cell.state in (DONE, FAILED):
            reason = f": {describe_cell(cell)}" if cell.state == FAILED else ""
            lines.append(f"{cell.state}: {cell.cell}{reason}")
        if cell.interrupted > earlier.interrupted and cell.state != DONE:
            lines.append(f"interrupted: {cell.cell}; it goes on from its checkpoint")
    return lines


def describe_waits(cells: Iterable[CellState]) -> dict[str, str]:
    """Returns a line for each thing out of the ordinary that cells wait for, by the reason alone."""
    reasons = (c.reason for c in cells if c.state == WAITING and c.reason not in ORDINARY)
    counts = Counter(r for r in reasons if not r.startswith(HELD))  # k8s.cluster.handover says who has which
    return {reason: f"waiting: {count_cells(n)}: {reason}" for reason, n in counts.items()}
