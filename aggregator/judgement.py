"""What a launch that goes on until claims are decided asks after each round: verdicts and chances, for a program to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aggregator.claims import Claim
from aggregator.claims.outlook import Outlook, forecast_claim
from aggregator.claims.verdict import UNDECIDED
from aggregator.study import Treatment
from aggregator.suggest import list_compared


def describe_judgement(claims: Sequence[Claim], targets: Sequence[int]) -> dict[str, Any]:
    """Returns the verdict of each claim and, where it is open, the chance of one with so many seeds, as JSON values."""
    return {"claims": [_describe(c, forecast_claim(c, sorted(targets))) for c in claims]}


def _describe(claim: Claim, outlook: Outlook) -> dict[str, Any]:
    is_open = claim.verdict == UNDECIDED
    return {
        "name": claim.name,
        "verdict": claim.verdict,
        "p": claim.p if any(p.tested for p in claim.parts) else None,
        "level": claim.level,
        "seeds": claim.seeds,
        "chances": {str(c.seeds): c.decided for c in outlook.chances} if is_open else {},
        "reason": outlook.reason,
        "cells": list_compared_cells(claim),
    }


def list_compared_cells(claim: Claim) -> list[str]:
    """Returns the ids of the cells that the claim compares, each with its least seed alone."""
    found = []
    for study, treatments in list_compared(claim):
        first = min(c.seed for c in study.cells)
        found += [c.id for c in study.cells if c.seed == first and Treatment.of(c) in treatments]
    return found
