"""The section of the page about the paper's statements: the verdicts, what would decide the rest, and the comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aggregator.claims import Claim
from aggregator.claims.outlook import INSTEAD, POWER, Chance
from aggregator.claims.parts import Part
from aggregator.claims.rules import ALPHA, LEAST_SEEDS
from aggregator.claims.second_halves import SecondHalf
from aggregator.report.inference import second_halves_table
from aggregator.report.page import Section
from aggregator.statistics import Difference
from aggregator.suggest import MOST, NEXT_GRID, Step
from aggregator.tables import NOTHING, Entry, Table, count_entry, number_entry, text_entry

SHOWN_SEEDS = (10, 20, 30, 100)
JUDGING = (
    "Each statement is made testable by a rule fixed before looking, and answered by comparisons that are paired over "
    f"seeds, one-sided at {100 * ALPHA:g} %. Undecided means that these results cannot tell, not that the statement is "
    f"wrong; at face value says whether their means fulfil it, without any test. Tests begin at {LEAST_SEEDS} seeds."
)
ONE_RUN = (
    "There is one run of each here, which compares two networks and not two methods: two seeds of one method differ as "
    "clearly. The effects are shown, and every verdict is left open."
)
CAPTION = (
    "Supported: every demand is shown to hold. Refuted: one is shown not to. No difference worth speaking of: what is "
    "compared is shown to lie within a tenth. p: of the verdict, one-sided; Holm: corrected over all eleven. "
    "Second half: what claims 2 and 3 say of size and speed, judged apart."
)


def claims_section(
    claims: Sequence[Claim], steps: Sequence[Step] = (), second_halves: Mapping[str, SecondHalf] | None = None
) -> Section:
    """Returns the verdicts on the paper's claims, what would decide the rest, and the comparisons behind them.

    Args:
        second_halves: by the claim's name; they are judged apart, and enter neither a verdict nor Holm's correction.
    """
    second = second_halves or {}
    summary = Table(
        name="claims",
        title="The eleven statements of section 6.1",
        caption=CAPTION + _name_looks(claims),
        columns=("claim", "the paper says", "verdict", "p", "p (Holm)", "at face value", "seeds", "second half"),
        rows=tuple(_claim_row(c, second.get(c.name)) for c in claims),
    )
    alone = any(c.parts for c in claims) and all(c.seeds <= 1 for c in claims)
    words = (JUDGING, ONE_RUN) if alone else (JUDGING,)
    plan = [_outlook_table(steps)] if steps else []
    shares = [second_halves_table(second)] if any(half.shares for half in second.values()) else []
    blocks = (summary, *plan, *shares, *(_comparisons(c) for c in claims if c.parts))
    return Section(anchor="claims", title="What can be claimed", words=words, blocks=blocks, unfolded=1 + len(plan))


def _name_looks(claims: Sequence[Claim]) -> str:
    level = min((c.level for c in claims), default=ALPHA)
    if level == ALPHA:
        return ""
    most = max(c.looks for c in claims)
    planned = ", one of a plan" if any(c.planned for c in claims) else ""
    return f" This is look {most} at growing results of the same cells{planned}, so verdicts need p <= {100 * level:.2g} %."


def _claim_row(claim: Claim, second: SecondHalf | None) -> tuple[Entry, ...]:
    tested = any(p.tested for p in claim.parts)
    return (
        text_entry(claim.name),
        text_entry(f"{claim.statement} {second.statement}" if second else claim.statement),
        text_entry(claim.verdict),
        number_entry(claim.p, ".2g") if tested else text_entry(NOTHING),
        number_entry(claim.holm, ".2g") if tested else text_entry(NOTHING),
        text_entry(claim.face),
        count_entry(claim.seeds),
        text_entry(second.verdict if second else NOTHING),
    )


def _outlook_table(steps: Sequence[Step]) -> Table:
    return Table(
        name="outlook",
        title="What would decide the rest",
        caption="The probability that a claim is supported / refuted / shown to make no difference worth speaking of (%), by "
        "the number of seeds of each cell: simulated from what these results leave possible, judged by the same rule at the "
        f"level of the next look. Needed: the least number with {POWER:.0%} for any of the three, up to {MOST}; the cells to "
        f"train for it, and what they take if they take what the done ones did. {NEXT_GRID} beside this page is a grid with "
        f"the old cells and these: a launch of it trains only what is new. {INSTEAD}",
        columns=(
            "claim",
            *(f"{n} seeds" for n in SHOWN_SEEDS),
            "needed",
            "new cells",
            "hours",
            "dollars",
            "what would",
        ),
        rows=tuple(map(_outlook_row, steps)),
    )


def _outlook_row(step: Step) -> tuple[Entry, ...]:
    by_seeds = {c.seeds: c for c in step.outlook.chances}
    chances = (by_seeds.get(n) for n in SHOWN_SEEDS)
    nothing = text_entry(NOTHING)
    cost = step.cost
    return (
        text_entry(step.claim.name),
        *(text_entry(_show_chance(c)) if c else nothing for c in chances),
        count_entry(step.chance.seeds) if step.chance else nothing,
        count_entry(cost.cells) if step.chance else nothing,
        number_entry(cost.hours, ".3g") if step.chance else nothing,
        number_entry(cost.dollars, ",.2f") if step.chance and math.isfinite(cost.dollars) else nothing,
        text_entry(step.outlook.words),
    )


def _show_chance(chance: Chance) -> str:
    return " / ".join(f"{100 * p:.0f}" for p in (chance.supported, chance.refuted, chance.same))


def _comparisons(claim: Claim) -> Table:
    remark = f" {claim.remark}" if claim.remark else ""
    return Table(
        name=f"claim-{claim.name.lower()}",
        title=f"Comparisons behind claim {claim.name}: {claim.verdict}",
        caption=f"{claim.rule}{remark} {'; '.join(claim.why.splitlines())}. Of what must be at most a tenth above, the "
        "difference is a - 1.1 b.",
        columns=(
            "holds if",
            "at face value",
            "difference (pp)",
            "95 % interval",
            "for images like these",
            "must be below",
            "p: holds",
            "p: fails",
            "p: within a tenth",
            "test",
            "seeds",
        ),
        rows=tuple(map(_comparison_row, claim.parts)),
    )


def _comparison_row(part: Part) -> tuple[Entry, ...]:
    d = part.difference
    return (
        text_entry(part.says),
        text_entry({True: "yes", False: "no", None: "open"}[part.face]),
        number_entry(d.effect if d else math.nan, "+.3f"),
        interval_entry(d),
        interval_entry(part.over_images()),
        number_entry(part.bound, ".2f"),
        *(
            number_entry(p, ".2g") if part.tested and shown else text_entry(NOTHING)
            for p, shown in ((part.p_holds, True), (part.p_fails, True), (part.p_same, part.over is not None))
        ),
        text_entry(d.test if d else "no results"),
        count_entry(part.seeds),
    )


def interval_entry(difference: Difference | None) -> Entry:
    """Returns a field of the 95 % interval of a difference; a dash where there is none."""
    low, high = difference.interval if difference else (math.nan, math.nan)
    if not math.isfinite(low):
        return text_entry(NOTHING)
    return Entry(text=f"{low:+.3f} to {high:+.3f}", bounds=(low, high))
