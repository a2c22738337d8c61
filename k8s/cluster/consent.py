"""Asks before a launch spends more than a setting."""

from __future__ import annotations

import sys

from experiment.errors import InvalidInput
from k8s.manifests.settings import Settings


def ask_for_consent(dollars: float, settings: Settings, *, yes: bool) -> None:
    """Asks whether to spend as much as this, where it is more than ``ask_above`` and ``--yes`` is not given.

    Raises:
        InvalidInput: the answer is not yes, or there is no terminal to ask on.
    """
    if yes or dollars <= settings.ask_above:
        return
    cost = f"the forecast of this launch is ${dollars:,.2f}, above ask_above, ${settings.ask_above:,.2f}"
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidInput(f"{cost}, and there is no terminal to ask on; give --yes, or raise --ask-above")
    print(f"{cost}; launch? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InvalidInput("the launch was not confirmed, and nothing was created; answer y, or give --yes")
