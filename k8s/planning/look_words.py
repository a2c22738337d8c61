"""What a launch until claims are decided prints: the plan, each round, each look, and why it ends."""

from __future__ import annotations

from experiment import keys
from k8s.planning.look_plan import UNDECIDED, Answer, LookPlan, Standing
from k8s.planning.next_round import Go, Purse, Stop, explain_chance, show_amount
from k8s.wording import count_cells, count_times


def describe_plan(plan: LookPlan) -> list[str]:
    """Returns the plan in lines: its claims, its looks and their levels."""
    counts = ", ".join(map(str, plan.counts))
    lines = [f"plan {plan.name}: claims {', '.join(plan.claims)}; looks at {counts} seeds, {_describe_levels(plan)}"]
    if earlier := max(plan.earlier.values()):
        lines.append(f"these results were looked at {count_times(earlier)} before, which lowers the level of the plan")
    return lines


def _describe_levels(plan: LookPlan) -> str:
    return f"each verdict at p <= {min(plan.levels.values()):.2g}, one-sided"


def describe_round(standing: Standing, go: Go, unit: str) -> list[str]:
    """Returns in a line what a round is to decide, with which cells, and what it is expected to take."""
    seeds = len(standing.plan.seeds_at(go.number))
    what = f"{seeds} seeds of {count_cells(len(go.growing))}, for claims {', '.join(go.claims)}"
    return [f"round {go.number} of {len(standing.plan.counts)}: {what}; about {show_amount(go.cost, unit)}"]


def describe_look(standing: Standing, purse: Purse) -> list[str]:
    """Returns what the last look found: a line for each claim of the plan, after what was spent."""
    number, found = len(standing.looks), standing.answers
    spent = f"{show_amount(purse.spent, purse.unit)} of {show_amount(purse.budget, purse.unit)} spent"
    head = f"look {number} of {len(standing.plan.counts)}, at {standing.plan.counts[number - 1]} seeds; {spent}:"
    return [head, *(f"  {_describe_answer(*found[name], number)}" for name in standing.plan.claims if name in found)]


def _describe_answer(look: int, answer: Answer, now: int) -> str:
    p = "nothing tested" if answer.p is None else f"p = {answer.p:.2g} (level {answer.level:.2g})"
    line = f"claim {answer.name}: {answer.verdict}, {p}"
    if answer.verdict != UNDECIDED:
        return line if look == now else f"{line}, at look {look}"
    chance = explain_chance(answer).partition(": ")[2]
    return f"{line}; {chance}" if look == now else f"{line}; given up after look {look}: {chance}"


def describe_end(standing: Standing, stop: Stop, store_url: str) -> list[str]:
    """Returns why the rounds end, and where the last report is."""
    report = [f"{store_url}/{keys.report(standing.rounds[-1].run)}"] if standing.looks else []
    return [f"stopped: {stop.why}", *report]
