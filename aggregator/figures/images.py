"""Pictures of a data set: samples (as the paper's 3.1-3.3) and two principal components (3.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from aggregator.figures.picture import Picture, render_picture
from aggregator.figures.style import Box, Sheet, house_style
from aggregator.reading.images import Images
from experiment.datasets import title_of

SHOWN, FITTED, POINTS = 10, 2000, 600
THUMB, HALF = 1.08, 5.2  # inches: the width of a sample, and of a panel of components
# Ten hues that differ in lightness too; every class also has its number at its centre.
PALETTE = ("#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499", "#777777")
SIGNED = LinearSegmentedColormap.from_list("signed", ["#d7191c", "#f2f0f2", "#1f3fd6"])


def plot_samples(dataset: str, images: Images) -> Picture:
    """Draws ten training images with their numbers and labels, chosen by a fixed seed."""
    chosen = np.random.default_rng(0).choice(len(images.x), min(SHOWN, len(images.x)), replace=False)
    darkest = int(images.x.max())
    title = title_of(dataset)
    with house_style():
        figure = Figure(figsize=(THUMB * SHOWN, 1.5))
        for place, i in enumerate(chosen):
            axes = figure.add_axes(((place + 0.06) / SHOWN, 0.02, 0.88 / SHOWN, 0.65))
            axes.set_axis_off()
            axes.imshow(images.x[i].squeeze(), cmap="gray_r", vmin=0, vmax=darkest, interpolation="nearest")
            axes.set_title(f"image {i}\nlabel {images.y[i]}", fontsize=8, fontweight="normal", loc="center")
        boxes = [Box(THUMB * place, 0, THUMB, 1.5) for place in range(len(chosen))]
        return render_picture(
            Sheet(figure=figure, panels=figure.axes, boxes=boxes),
            name=f"{dataset}-samples",
            title=f"{title}: sample images",
            caption=f"Training images of {title} as the cells saw them, with their place in the training set and their label.",
        )


def principal_components(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns (scores, axes) of the first two principal components of rows ``x``, by singular values, with fixed signs."""
    centred = x - x.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    first = axes[:2]
    first = first * np.sign(first[np.arange(2), np.abs(first).argmax(axis=1)])[:, None]
    return centred @ first.T, first


def nearest_strangers(scores: NDArray[np.float64], labels: NDArray[np.uint8]) -> tuple[int, int]:
    """Returns the two points of different labels that lie closest together."""
    distance = ((scores[:, None] - scores[None]) ** 2).sum(axis=2)
    distance[labels[:, None] == labels[None]] = np.inf
    a, b = np.unravel_index(int(distance.argmin()), distance.shape)
    return int(a), int(b)


def plot_components(dataset: str, images: Images) -> Picture:
    """Draws two panels in the form of 3.4; the starred images lie close together but have different labels."""
    chosen = np.random.default_rng(0).choice(len(images.x), min(FITTED, len(images.x)), replace=False)
    x, y = images.x[chosen], images.y[chosen]
    grey = x.astype(float).mean(axis=3) / max(int(images.x.max()), 1)  # digits have 16 shades, the others 255
    scores, axes = principal_components(grey.reshape(len(grey), -1))
    shown = slice(0, POINTS)
    pair = nearest_strangers(scores[shown], y[shown])
    title = title_of(dataset)
    with house_style():
        figure = Figure(figsize=(2 * HALF, 4.2))
        for side, star in enumerate(pair):
            left = 0.02 + 0.5 * side
            _draw_points(figure, left, scores[shown], y[shown], star)
            _draw_weights(figure, left, grey[star], axes)
        boxes = [Box(HALF * side, 0, HALF, 4.2) for side in range(2)]
        return render_picture(
            Sheet(figure=figure, panels=figure.axes, boxes=boxes),
            name=f"{dataset}-pca",
            title=f"{title}: two principal components",
            caption=f"{POINTS} training images of {title} on their first two principal components, coloured and numbered by class. "
            "The two starred images (left and right panel) lie close together and yet have different labels. Beside each axis: "
            "the starred image over the weights of that component (blue positive, red negative).",
        )


def _draw_points(
    figure: Figure, left: float, scores: NDArray[np.float64], labels: NDArray[np.uint8], star: int
) -> None:
    """Draws the images as points coloured by class, one of them starred."""
    axes = figure.add_axes((left + 0.125, 0.30, 0.33, 0.62))
    for label in np.unique(labels):
        points = scores[labels == label]
        if len(points):
            axes.scatter(points[:, 0], points[:, 1], s=11, color=_colour(label), alpha=0.75, linewidths=0)
            _draw_number(axes, label, np.median(points, axis=0))
    x, y = scores[star]
    colour = _colour(labels[star])
    axes.scatter([x], [y], s=260, marker="*", color=colour, edgecolors="#111418", linewidths=1.2, zorder=5)
    axes.set_title(f"starred: label {labels[star]}")
    _hide_ticks(axes)


def _draw_number(axes: Axes, label: int, centre: NDArray[np.float64]) -> None:
    box = {"boxstyle": "circle,pad=0.15", "fc": "#ffffff", "ec": _colour(label), "lw": 1.5}
    words: dict[str, Any] = {"fontsize": 11, "fontweight": "bold", "ha": "center", "va": "center", "color": "#111418"}
    axes.text(centre[0], centre[1], str(label), bbox=box, **words)


def _draw_weights(figure: Figure, left: float, image: NDArray[np.float64], components: NDArray[np.float64]) -> None:
    """Draws the starred image over the weights of each component, beside that component's axis."""
    for component, place in ((0, (left + 0.36, 0.02, 0.095, 0.23)), (1, (left, 0.62, 0.11, 0.27))):
        _draw_overlay(figure.add_axes(place), image, components[component].reshape(image.shape))
    _draw_ramp(figure.add_axes((left + 0.125, 0.265, 0.33, 0.02)), np.linspace(-1, 1, 64)[None])
    _draw_ramp(figure.add_axes((left + 0.113, 0.30, 0.008, 0.62)), np.linspace(1, -1, 64)[:, None])


def _draw_overlay(axes: Axes, image: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    bound = float(np.abs(weights).max()) or 1.0
    axes.imshow(weights, cmap=SIGNED, vmin=-bound, vmax=bound, interpolation="nearest")
    ink = np.zeros((*image.shape, 4))
    ink[..., 3] = 0.8 * image  # black, as opaque as the image is dark
    axes.imshow(ink, interpolation="nearest")
    _hide_ticks(axes)


def _draw_ramp(axes: Axes, values: NDArray[np.float64]) -> None:
    axes.imshow(values, cmap=SIGNED, aspect="auto")
    axes.set_axis_off()


def _colour(label: int) -> str:
    """Returns the colour of a class. Beyond ten classes hues repeat, and the number tells."""
    return PALETTE[int(label) % len(PALETTE)]


def _hide_ticks(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
