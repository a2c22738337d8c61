"""Pictures of a data set: samples (the paper's 3.1-3.3) and its two principal components (3.4)."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from aggregator.figures import style
from aggregator.figures.style import Picture
from aggregator.prepared import Images
from experiment.datasets import CLASSES, DATASETS

SHOWN, FITTED, POINTS = 10, 2000, 600
# Ten hues that differ in lightness too; every class also has its number at its centre.
PALETTE = ("#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499", "#777777")
SIGNED = LinearSegmentedColormap.from_list("signed", ["#d7191c", "#f2f0f2", "#1f3fd6"])


def samples(name: str, images: Images) -> Picture:
    """Ten training images with their numbers and labels, chosen by a fixed seed."""
    chosen = np.random.default_rng(0).choice(len(images.x), min(SHOWN, len(images.x)), replace=False)
    title = DATASETS[name].title
    with style.styled():
        figure, panels = style.new(1, SHOWN, 11, 1.65)
        for axes in panels:
            axes.set_axis_off()
        for axes, i in zip(panels, chosen, strict=False):
            axes.imshow(images.x[i].squeeze(), cmap="gray_r", vmin=0, vmax=int(images.x.max()), interpolation="nearest")
            axes.set_title(f"image {i}\nlabel {images.y[i]}", fontsize=7.5, fontweight="normal", loc="center")
        return style.picture(figure, name=f"{name}-samples", title=f"{title}: sample images",
                             caption=f"Training images of {title} as the cells saw them, with their place in the training set and their label.")  # fmt: skip


def components(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(scores, axes) of the first two principal components of rows ``x``, by singular values; signs fixed."""
    centred = x - x.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    first = axes[:2]
    first = first * np.sign(first[np.arange(2), np.abs(first).argmax(axis=1)])[:, None]
    return centred @ first.T, first


def nearest_strangers(scores: NDArray[np.float64], labels: NDArray[np.uint8]) -> tuple[int, int]:
    """The two points of different labels that lie closest together."""
    distance = ((scores[:, None] - scores[None]) ** 2).sum(axis=2)
    distance[labels[:, None] == labels[None]] = np.inf
    a, b = np.unravel_index(int(distance.argmin()), distance.shape)
    return int(a), int(b)


def principal(name: str, images: Images) -> Picture:
    """Two panels in the form of 3.4, with starred images that lie close together but have different labels."""
    chosen = np.random.default_rng(0).choice(len(images.x), min(FITTED, len(images.x)), replace=False)
    x, y = images.x[chosen], images.y[chosen]
    grey = x.astype(float).mean(axis=3) / max(int(images.x.max()), 1)  # digits know 16 shades, the others 255
    scores, axes = components(grey.reshape(len(grey), -1))
    shown = slice(0, POINTS)
    pair = nearest_strangers(scores[shown], y[shown])
    title = DATASETS[name].title
    with style.styled():
        figure = Figure(figsize=(11, 4.6))
        for side, star in enumerate(pair):
            _panel(figure, 0.02 + 0.5 * side, scores[shown], y[shown], star, grey[star], axes)
        return style.picture(
            figure,
            name=f"{name}-pca",
            title=f"{title}: two principal components",
            caption=f"{POINTS} training images of {title} on their first two principal components, coloured and numbered by class. "
            "The two starred images (left and right panel) lie close together and yet have different labels. Beside each axis: "
            "the starred image over the weights of that component (blue positive, red negative).",
        )


def _panel(
    figure: Figure, left: float, scores: NDArray[np.float64], y: NDArray[np.uint8], star: int,
    image: NDArray[np.float64], weights: NDArray[np.float64],
) -> None:  # fmt: skip
    main = figure.add_axes((left + 0.125, 0.30, 0.33, 0.62))
    for label in range(CLASSES):
        own = scores[y == label]
        if len(own):
            main.scatter(own[:, 0], own[:, 1], s=11, color=PALETTE[label], alpha=0.75, linewidths=0)
            centre = np.median(own, axis=0)
            main.text(centre[0], centre[1], str(label), fontsize=11, fontweight="bold", ha="center", va="center",
                      color="#111418", bbox={"boxstyle": "circle,pad=0.15", "fc": "#ffffff", "ec": PALETTE[label], "lw": 1.5})  # fmt: skip
    x, z = scores[star]
    main.scatter(
        [x], [z], s=260, marker="*", color=PALETTE[int(y[star])], edgecolors="#111418", linewidths=1.2, zorder=5
    )
    main.set_title(f"starred: label {y[star]}")
    main.set_xticks([])
    main.set_yticks([])
    for axis, place in ((0, (left + 0.36, 0.02, 0.095, 0.23)), (1, (left, 0.62, 0.11, 0.27))):
        _overlay(figure.add_axes(place), image, weights[axis].reshape(image.shape))
    _ramp(figure.add_axes((left + 0.125, 0.265, 0.33, 0.02)), np.linspace(-1, 1, 64)[None])
    _ramp(figure.add_axes((left + 0.113, 0.30, 0.008, 0.62)), np.linspace(1, -1, 64)[:, None])


def _overlay(axes: Axes, image: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    bound = float(np.abs(weights).max()) or 1.0
    axes.imshow(weights, cmap=SIGNED, vmin=-bound, vmax=bound, interpolation="nearest")
    ink = np.zeros((*image.shape, 4))
    ink[..., 3] = 0.8 * image  # black, as opaque as the image is dark
    axes.imshow(ink, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def _ramp(axes: Axes, values: NDArray[np.float64]) -> None:
    axes.imshow(values, cmap=SIGNED, aspect="auto")
    axes.set_axis_off()
