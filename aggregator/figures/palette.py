"""The colours of figures on light and on dark paper: shades of a hue for each method, greys for Single.

Every colour has a contrast of at least 3 with its paper, and people with the common forms of colour blindness can tell the
methods apart (the tests measure both). No figure relies on colours alone: methods have panels, markers or rows of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aggregator.study import Treatment

PAPER = ("#ffffff", "#14171b")  # light, dark
INK, FAINT = "#1b1f24", "#d4d7db"
# From alpha's largest value to its smallest: thinner and stronger to thicker and fainter, as in the paper.
SHADES = {
    "ce": ("#08306b", "#15437f", "#225693", "#306aa8", "#3d7dbc", "#4a90d0"),
    "l2": ("#7f2704", "#913609", "#a3450e", "#b55312", "#c76217", "#d9711c"),
    "l1": ("#00441b", "#09562c", "#11673e", "#1a794f", "#228a61", "#2b9c72"),
    "mutual": ("#2a1f8f", "#382da8", "#453ac2", "#5348db", "#6056e6", "#6d63f2"),
    "consensus": ("#1a100a", "#261911", "#312218", "#3d2b1f", "#4a3627", "#57402f"),
    "distillation": ("#2e0a29", "#3a0b33", "#480d3d", "#570f48", "#661254", "#761661"),
}
SINGLES = ("#8a919c", "#4b5563", INK)  # member, member, ensemble
COLOURS = {**{method: shades[3] for method, shades in SHADES.items()}, "single": "#6b7280"}
MARKERS = {"ce": "o", "l2": "s", "l1": "^", "mutual": "v", "consensus": "P", "distillation": "X", "single": "D"}
_ON_DARK = {
    "ce": ("#c3def7", "#abcced", "#93bbe3", "#7aa9d9", "#6298cf", "#4a86c5"),
    "l2": ("#ffd3ab", "#f3bd8e", "#e7a771", "#dc9254", "#d07c37", "#c4661a"),
    "l1": ("#b8ecd4", "#9dd9bf", "#81c7ab", "#66b496", "#4aa282", "#2f8f6d"),
    "mutual": ("#d3c2ff", "#c0a4ff", "#ad86fe", "#9a68fe", "#925ef7", "#8a55f0"),
    "consensus": ("#fbf9a8", "#f7f373", "#f3ee3d", "#efe808", "#d6d009", "#bdb80a"),
    "distillation": ("#f7a3ad", "#ef8792", "#e06772", "#d14755", "#c63d4b", "#bb3441"),
}
# Each colour of a figure by its variable on the page: on light paper, on dark.
VARIABLES: dict[str, tuple[str, str]] = {
    "ink": (INK, "#e6e9ed"),
    "line": (FAINT, "#383e46"),
    "s1": (SINGLES[0], "#7b838f"),
    "s2": (SINGLES[1], "#aab2bd"),
    "s3": (COLOURS["single"], "#b4bcc6"),
    **{f"{m}{i}": pair for m in SHADES for i, pair in enumerate(zip(SHADES[m], _ON_DARK[m], strict=True))},
}
_NAMES = {light: name for name, (light, _) in VARIABLES.items()}


def line_style(treatment: Treatment, alphas: Sequence[float]) -> tuple[str, float]:
    """Returns (colour, width) of a treatment's line; ``alphas`` are those of its method, from large to small."""
    shades = SHADES[treatment.method]
    place = alphas.index(treatment.alpha) / max(len(alphas) - 1, 1)
    return shades[round(place * (len(shades) - 1))], 1.0 + 2.6 * place


def css_variables(theme: int) -> str:
    """Returns the declarations of all variables, of light (0) or dark (1) paper."""
    return " ".join(f"--{name}: {pair[theme]};" for name, pair in VARIABLES.items())


def use_variables(svg: str) -> str:
    """Returns the SVG with the page's variables in the place of the colours of light paper."""
    return re.sub("#[0-9a-f]{6}", lambda m: f"var(--{_NAMES[m[0]]})" if m[0] in _NAMES else m[0], svg)
