"""Puts times, counts and progress into the words that plan, screen, status and watching share."""

from __future__ import annotations

from experiment.records import Progress


def format_duration(seconds: float) -> str:
    """Returns a time span for people: 42 s, 3 min 05 s, 2 h 10 min, 3 d 4 h."""
    total = round(max(seconds, 0))
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60:02d} s"
    if total < 86400:
        return f"{total // 3600} h {total % 3600 // 60:02d} min"
    return f"{total // 86400} d {total % 86400 // 3600} h"


def describe_progress(record: Progress) -> str:
    """Returns the progress of one cell in words."""
    if not record.images_per_second:
        return "starts"
    left = format_duration(record.seconds_left)
    return f"epoch {record.epoch}/{record.epochs}, {record.images_per_second:,.0f} images/s, {left} left"


def count_done(done: int, total: int) -> str:
    """Returns how many cells of a run are done."""
    return f"{done} of {total} cells done"


def count_times(count: int) -> str:
    """Returns how often something happened: once, 3 times."""
    return "once" if count == 1 else f"{count} times"


def count_cells(count: int) -> str:
    """Returns a number of cells: 1 cell, 3 cells."""
    return "1 cell" if count == 1 else f"{count} cells"
