"""What people get wrong on a new cluster, each made once on the real node: what they read, and what it costs of trainers."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.parts import kubectl
from tests.e2e.real_namespace import RealNamespace, trainer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]  # the first test of a real node builds its images
QUOTA = {"metadata": {"name": "none"}, "spec": {"hard": {"requests.nvidia.com/gpu": 0}}}
STRANGER = {"metadata": {"name": "stranger"}, "stringData": {"user": "nobody", "password": "no-such-key"}}


@dataclass(frozen=True)
class Mistake:
    """A mistake: settings that replace those of a namespace, by pattern; further flags; the words that a user must read."""

    pattern: str
    instead: str
    words: str
    flags: tuple[str, ...] = ("--grid", "smoke")


MISTAKES = {
    "wrong image": Mistake(
        "(?m)^image = .*", f'image = "absent.invalid/trainer@sha256:{64 * "0"}"', r"ErrImagePull|ImagePullBackOff"
    ),
    "missing Secret": Mistake('"store/user"', '"absent/user"', r'secret "absent" not found'),
    "no right to the bucket": Mistake('"store/', '"stranger/', r"InvalidAccessKeyId"),
    "no data": Mistake("$", "", r"mnist.*cannot be|not.*download", ("--grid", "mnist-small")),
    "quota 0": Mistake("(?m)^gpus = 0", "gpus = 1", r"exceeded quota: none.*requests.nvidia.com/gpu"),
    "wrong selector": Mistake(
        "(?m)^gpus = 0", 'gpus = 0\nnode_selector = { pool = "absent" }', r"didn't match Pod's node affinity/selector"
    ),
}


@contextlib.contextmanager
def launched(namespace: RealNamespace, name: str, mistake: Mistake) -> Iterator[Path]:
    """A launch of a run ``name`` with this mistake, in a store of its own; gives the file of its output."""
    settings, log = namespace.folder / f"{name}.toml", namespace.folder / f"{name}.log"
    soon = namespace.settings.read_text().replace("[env_secrets]", "outage_seconds = 10\n[env_secrets]")
    settings.write_text(re.sub(mistake.pattern, mistake.instead, soon))
    store = f"{namespace.store.url}-{name}"
    flags = ("--run", name, "--store", store, "--settings", settings, *mistake.flags)
    with namespace.launch(*flags, name=name):
        yield log


def trainer_starts(namespace: RealNamespace, name: str) -> list[dict]:
    """The trainers' containers of a run that have run, however shortly."""
    states = [trainer(pod).get("state", {}) for pod in namespace.pods(name)]
    return [state for state in states if state.get("running") or state.get("terminated")]


def test_each_first_mistake_is_read_within_minutes_and_costs_no_trainer(namespace):
    for kind, manifest in (("ResourceQuota", QUOTA), ("Secret", STRANGER)):
        text = json.dumps({"apiVersion": "v1", "kind": kind, **manifest})
        kubectl(namespace.home, "-n", namespace.name, "create", "-f", "-", stdin=text)
    with contextlib.ExitStack() as stack:
        logs = {
            name: stack.enter_context(launched(namespace, name.lower().replace(" ", "-"), mistake))
            for name, mistake in MISTAKES.items()
        }
        said = {name: read_words(namespace, logs[name], MISTAKES[name].words) for name in MISTAKES}
        starts = {name: trainer_starts(namespace, logs[name].stem) for name in MISTAKES}
    for name, line in said.items():
        print(f"{name}: {len(starts[name])} trainers started; {line}")

    assert not any(starts.values())


def read_words(namespace: RealNamespace, log: Path, words: str) -> str:
    """The first line of a launch with these words, once there is one."""
    pattern = re.compile(words)

    def look() -> str:
        return next((line for line in log.read_text().splitlines() if pattern.search(line)), "")

    return namespace.until(look, f"{words!r} in {log.name}", seconds=420)
