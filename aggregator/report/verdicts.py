"""The section of the page about the paper's statements: the verdicts, what would decide the rest, and the comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aggregator.claims import Claim
from aggregator.claims.outlook import INSTEAD, POWER, Chance
from aggregator.claims.rules import ALPHA, LEAST_SEEDS
from aggregator.claims.second_halves import SecondHalf
from aggregator.entries import NOTHING, Entry, count_entry, hours_entry, known_entry, number_entry, text_entry
from aggregator.report.blocks import Block, Section
from aggregator.report.cards import claim_card
from aggregator.report.inference import second_halves_table
from aggregator.suggest import MOST, NEXT_GRID, Step
from aggregator.tables import Table

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
    cards = [claim_card(c, second.get(c.name)) for c in claims]
    blocks: tuple[Block, ...] = (*cards, *plan, summary, *shares)
    return Section(anchor="claims", title="What can be claimed", words=words, blocks=blocks, unfolded=len(cards))


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
        hours_entry(cost.hours) if step.chance else nothing,
        known_entry(cost.dollars, ",.2f") if step.chance else nothing,
        text_entry(step.outlook.words),
    )


def _show_chance(chance: Chance) -> str:
    return " / ".join(f"{100 * p:.0f}" for p in (chance.supported, chance.refuted, chance.same))
