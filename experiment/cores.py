"""How many cores this process may use: its affinity, and the CPU quota of its container (cgroup v1 and v2)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def usable_cores(root: Path = Path("/")) -> int:
    """Returns the number of whole cores that this process may use, at least 1; ``root`` holds ``proc`` and ``sys``."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min(own, *_quotas(root), math.inf)))


def _quotas(root: Path) -> Iterator[float]:
    """Yields the quotas in cores of this process's control group and of those around it: the smallest holds."""
    for hierarchy, group in _groups(root):
        inside = PurePosixPath(group.lstrip("/"))
        # In a container without a namespace of its own the path is the host's, and the files are at the top.
        for folder in dict.fromkeys((hierarchy / inside, *((hierarchy / p) for p in inside.parents), hierarchy)):
            quota, period = _read_words(folder / "cpu.max") or _read_quota_v1(folder) or ("max", "1")
            try:
                cores = int(quota) / int(period)
            except (ValueError, ZeroDivisionError):
                continue  # "max", or nothing that a kernel writes
            if cores > 0:  # -1: no quota
                yield cores


def _groups(root: Path) -> Iterator[tuple[Path, str]]:
    """Yields the folder of each hierarchy that can hold a quota, and this process's group in it."""
    mounts = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if number == "0" and not controllers:
            yield mounts, group
            yield mounts / "unified", group  # where both versions are mounted
        elif "cpu" in controllers.split(","):
            yield mounts / controllers, group
            yield mounts / "cpu", group


def _read_quota_v1(folder: Path) -> tuple[str, str] | None:
    quota, period = _read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()
    return (quota, period) if quota and period else None


def _read_words(path: Path) -> tuple[str, str] | None:
    words = _read(path).split()
    return (words[0], words[1]) if len(words) == 2 else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""
