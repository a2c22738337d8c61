"""How an object of the server differs from what was sent, and which differences leave the work as it is. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from k8s.manifests.checks import LEAST_TTL
from k8s.manifests.patch import MERGE_KEYS

QUANTITY_TEXT = re.compile(r"(?P<number>[0-9]+(\.[0-9]*)?|\.[0-9]+)(?P<unit>[numkMGTPE]|[KMGTPE]i)?")
UNITS = {"": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)}
UNITS |= {unit: Fraction(1000 ** (n + 1)) for n, unit in enumerate("kMGTPE")}
UNITS |= {f"{unit}i": Fraction(1024 ** (n + 1)) for n, unit in enumerate("KMGTPE")}
# What a cluster's admission may add to a pod without changing what it computes.
ADDITIONS = re.compile(
    r"spec\.template\.spec\.((tolerations|volumes|imagePullSecrets|initContainers|nodeSelector)\[[^\]]*\]"
    r"|(initContainers|containers)\[[^\]]*\]\.(env|volumeMounts)\[[^\]]*\])"
)
IMAGE = re.compile(r".*\.(initContainers|containers)\[[^\]]*\]\.image")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One place where an object of the server is not as it was sent; None stands for absent.

    Attributes:
        path: such as ``spec.template.spec.containers[trainer].image``.
    """

    path: str
    wanted: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.path} is {_short(self.found)}, not {_short(self.wanted)}"

    @property
    def harmless(self) -> bool:
        """Whether the work stays the same: something was added around it, the same image comes from a mirror, or the Job is removed earlier."""
        if self.wanted is None:
            return ADDITIONS.fullmatch(self.path) is not None
        if IMAGE.fullmatch(self.path):
            digest = self.wanted.partition("@")[2]
            return bool(digest) and str(self.found).endswith(f"@{digest}")
        return self.path == "spec.ttlSecondsAfterFinished" and (self.found or 0) >= LEAST_TTL


def find_differences(wanted: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Yields where an object of the server lacks, changes or adds to what was sent; fields that the server adds are passed over."""
    if wanted in ({}, [], "", None) and found in ({}, [], "", None):
        return
    name = path.rpartition(".")[2]
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        added = found.keys() - wanted.keys() if name == "nodeSelector" else ()
        for key, value in wanted.items():
            yield from find_differences(value, found.get(key), f"{path}.{key}".lstrip("."))
        yield from (Difference(path=f"{path}[{key}]", wanted=None, found=found[key]) for key in sorted(added))
    elif name in MERGE_KEYS or name == "tolerations":
        yield from _entries(_by_name(wanted, name), _by_name(found, name), path)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for i, (w, f) in enumerate(zip(wanted, found, strict=True)):
            yield from find_differences(w, f, f"{path}[{i}]")
    else:
        is_quantity = ".resources." in path or path.endswith("sizeLimit")
        if parse_quantity(wanted) != parse_quantity(found) if is_quantity else wanted != found:
            yield Difference(path=path, wanted=wanted, found=found)


def _by_name(entries: Any, name: str) -> dict[str, Any]:
    key = MERGE_KEYS.get(name)
    return {str(e[key]) if key else json.dumps(e, sort_keys=True): e for e in entries or ()}


def _entries(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str) -> Iterator[Difference]:
    for key in (*wanted, *(k for k in found if k not in wanted)):
        if key in wanted and key in found:
            yield from find_differences(wanted[key], found[key], f"{path}[{key}]")
        else:
            yield Difference(path=f"{path}[{key}]", wanted=wanted.get(key), found=found.get(key))


def parse_quantity(text: Any) -> Any:
    """Returns a Kubernetes quantity in thousandths, rounded up as the server does; anything else as it is.

    So 0.7 and 700m are equal, and 1.4Gi is equal to the 1503238553600m that the server makes of it.
    """
    match = QUANTITY_TEXT.fullmatch(text) if isinstance(text, str) else None
    return math.ceil(Fraction(match["number"]) * UNITS[match["unit"] or ""] * 1000) if match else text


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= 90 else f"{text[:87]}..."
