"""A run's verdicts and largest effects as lines for a terminal, for people without a browser at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aggregator.claims import Claim
from aggregator.claims.outlook import Outlook
from aggregator.claims.second_halves import SecondHalf
from aggregator.effects import Effect, find_effects, largest_effects
from aggregator.study import Study
from aggregator.suggest import Step

MOST_EFFECTS = 8


def summary_lines(
    claims: Sequence[Claim],
    steps: Sequence[Step],
    studies: Sequence[Study],
    second_halves: Mapping[str, SecondHalf] | None = None,
    questions: Sequence[Claim] = (),
    question_steps: Sequence[Step] = (),
) -> Iterator[str]:
    """Yields the verdicts with what would decide the rest, those on questions beyond the paper, then the largest differences."""
    yield from _verdict_lines("claim", claims, steps)
    yield from (f"claim {n}, second half: {h.verdict} - {h.statement}" for n, h in (second_halves or {}).items())
    if questions:
        yield ""
        yield from _verdict_lines("question: gains more?", questions, question_steps)
    effects = find_effects(studies)
    if not effects:
        return
    yield ""
    yield f"largest differences from Single, of {len(effects)}, in percentage points; being the largest, they are overstated"
    largest = largest_effects(effects, MOST_EFFECTS)
    yield from _align([("model", "difference", "95 % interval", "test", "n"), *map(_effect_row, largest)])


def _verdict_lines(what: str, claims: Sequence[Claim], steps: Sequence[Step]) -> Iterator[str]:
    outlooks = {s.claim.name: s.outlook for s in steps}
    rows: list[tuple[str, ...]] = [(what, "verdict", "p", "Holm", "at face value", "seeds", "what would decide it")]
    yield from _align([*rows, *(_claim_row(c, outlooks.get(c.name)) for c in claims)])


def _claim_row(claim: Claim, outlook: Outlook | None) -> tuple[str, ...]:
    tested = any(p.tested for p in claim.parts)
    p = (f"{claim.p:.2g}", f"{claim.holm:.2g}") if tested else ("-", "-")
    words = outlook.words if outlook else ""
    return (claim.name, claim.verdict, *p, claim.face, str(claim.seeds), words)


def _effect_row(effect: Effect) -> tuple[str, ...]:
    d = effect.difference
    low, high = d.interval
    interval = f"{low:+.2f} to {high:+.2f}" if d.known else "-"
    return (effect.title, f"{d.effect:+.2f}", interval, d.test, str(d.n))


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        *cells, last = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield "  ".join([*cells, last.rstrip()])
