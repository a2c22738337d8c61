"""Colours are measured: their contrast with the paper, and their distance as colour-blind people see them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from aggregator.figures import further, settings
from aggregator.figures.palette import (
    COLOURS,
    FAINT,
    INK,
    MARKERS,
    PAPER,
    SHADES,
    VARIABLES,
    css_variables,
    line_style,
    use_variables,
)
from aggregator.study import Treatment
from experiment.cell import METHODS

# Machado, Oliveira and Fernandes (2009), at full severity, on linear RGB.
BLINDNESS = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1, 1.089])


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """WCAG's ratio."""
    low, high = sorted(float(linear(c) @ TO_XYZ[1]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(values):
    xyz = TO_XYZ @ np.clip(values, 0, 1) / WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_line_and_mark_stands_out_from_its_paper(theme):
    found = {name: contrast(pair[theme], PAPER[theme]) for name, pair in VARIABLES.items() if pair[0] != FAINT}

    assert {name: ratio for name, ratio in found.items() if ratio < 3} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_methods_are_told_apart_by_colour_blind_people(theme, blindness):
    by_light = dict(VARIABLES.values())
    seen = {
        m: lab(np.array(BLINDNESS[blindness]) @ linear(c if theme == 0 else by_light[c])) for m, c in COLOURS.items()
    }
    distances = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(seen, 2)}

    assert {pair: d for pair, d in distances.items() if d < 14} == {}
    assert min(d for pair, d in distances.items() if "single" not in pair) > 20


def test_every_method_has_colours_a_mark_and_a_place():
    for names in (COLOURS, MARKERS, settings.DODGE):
        assert set(names) == set(METHODS)
    assert set(SHADES) == set(further.DODGE) == set(METHODS) - {"single"}
    assert len(set(MARKERS.values())) == len(MARKERS)


def test_lines_grow_thicker_and_fainter_as_alpha_falls():
    alphas = [1.0, 0.3, 0.1, 0.01, 0.001, 0.0001]
    styles = [line_style(Treatment("l2", a), alphas) for a in alphas]

    assert [width for _, width in styles] == sorted(width for _, width in styles)
    assert [colour for colour, _ in styles] == list(SHADES["l2"]), "six alphas have six shades"
    ratios = [contrast(colour, PAPER[0]) for colour, _ in styles]
    assert ratios == sorted(ratios, reverse=True)


def test_a_colour_of_the_palette_becomes_a_variable_and_another_stays():
    assert use_variables(f"stroke: {INK}; fill: #123456") == "stroke: var(--ink); fill: #123456"
    assert f"--ink: {INK};" in css_variables(0)
    assert set(css_variables(0).replace(":", " ").split()) & {"--ce0", "--l15", "--s3"} == {"--ce0", "--l15", "--s3"}
