"""Known pitfalls of Jobs, looked for in manifests before a server sees them. Pure: a manifest in, sentences out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from experiment.errors import InvalidInput
from k8s.manifests.names import Manifest
from k8s.manifests.settings import KEY, NAME, VALUE

MOST_PARALLEL = 100_000  # of an Indexed Job
LARGE_JOB = 100_000  # completions above which backoffLimitPerIndex needs the two limits below
LARGE_JOB_LIMIT = 10_000
MOST_RULES, MOST_CODES = 20, 255
LARGEST = 1_000_000  # bytes: etcd refuses objects of about 1.5 MiB, annotations and status come on top
LONGEST_GRACE = 115  # seconds: a spot node is gone two minutes after its notice
LEAST_TTL = 3600  # seconds: the collecting Job must see a finished Job before it is removed


def check(manifests: Iterable[Manifest]) -> None:
    """Accepts the manifests of a launch.

    Raises:
        InvalidInput: some of them would be refused, or would do something else than they should; all problems are named.
    """
    found = [f"{m['kind']} {m['metadata']['name']}: {p}" for m in manifests for p in problems(m)]
    if found:
        raise InvalidInput(f"{'; '.join(found)}; correct the settings")


def problems(manifest: Manifest) -> list[str]:
    """What is wrong with a Job, one sentence each."""
    spec, pod = manifest["spec"], manifest["spec"]["template"]["spec"]
    return [
        *_names(manifest, spec),
        *_limits(spec),
        *_rules(spec, pod),
        *_time(spec, pod),
        *_pod(pod),
        *_size(manifest),
    ]


def _names(manifest: Manifest, spec: Manifest) -> Iterator[str]:
    name = manifest["metadata"]["name"]
    last = (
        f"{name}-{spec.get('completions', 1) - 1}"  # the host name of the last pod, which the server checks at creation
    )
    if not NAME.fullmatch(last):
        yield f"its last pod would be called {last!r}, of {len(last)} characters; allowed: up to 63 of a-z, 0-9 and '-': choose a shorter --run"
    for where in (manifest["metadata"], spec["template"]["metadata"]):
        for key, value in where["labels"].items():
            if not KEY.fullmatch(key) or not VALUE.fullmatch(value):
                yield f"label {key}={value} is not one"


def _limits(spec: Manifest) -> Iterator[str]:
    completions, parallelism = spec.get("completions", 1), spec.get("parallelism", 1)
    if not 1 <= parallelism <= MOST_PARALLEL:
        yield f"parallelism is {parallelism}; allowed: 1 to {MOST_PARALLEL}"
    if completions > LARGE_JOB and "backoffLimitPerIndex" in spec:
        for name, value in (
            ("parallelism", parallelism),
            ("max_failed", spec.get("maxFailedIndexes", LARGE_JOB_LIMIT + 1)),
        ):
            if value > LARGE_JOB_LIMIT:
                yield f"{name} is {value}; allowed with {completions} cells in a Job: up to {LARGE_JOB_LIMIT}"


def _rules(spec: Manifest, pod: Manifest) -> Iterator[str]:
    rules = spec["podFailurePolicy"]["rules"]
    first = rules[0] if rules else {}
    if first.get("action") != "Ignore" or [c["type"] for c in first.get("onPodConditions", ())] != ["DisruptionTarget"]:
        yield "the first rule does not ignore disruptions: a lost node would cost a retry"
    if pod["restartPolicy"] != "Never":
        yield "restartPolicy is not Never: the rules for failed pods would not apply"
    if spec.get("podReplacementPolicy") != "Failed":
        yield "podReplacementPolicy is not Failed: two pods could train one cell"
    if spec.get("completionMode") == "Indexed" and "backoffLimitPerIndex" not in spec:
        yield "backoffLimitPerIndex is missing: one bad cell would stop the others"
    if len(rules) > MOST_RULES:
        yield f"it has {len(rules)} rules; allowed: up to {MOST_RULES}"
    for rule in rules:
        codes = rule.get("onExitCodes", {}).get("values", [1])
        if 0 in codes or codes != sorted(set(codes)) or len(codes) > MOST_CODES:
            yield f"exit codes {codes} are not in order, each once, without 0"
        if rule["action"] == "FailIndex" and "backoffLimitPerIndex" not in spec:
            yield "a rule fails an index without backoffLimitPerIndex"


def _time(spec: Manifest, pod: Manifest) -> Iterator[str]:
    if spec.get("ttlSecondsAfterFinished", LEAST_TTL) < LEAST_TTL:
        yield f"it would be removed {spec['ttlSecondsAfterFinished']} s after its end; allowed: at least {LEAST_TTL}, for its report"
    if pod["terminationGracePeriodSeconds"] > LONGEST_GRACE:
        yield f"the grace period is {pod['terminationGracePeriodSeconds']} s; allowed: up to {LONGEST_GRACE}, within a spot node's notice"


def _pod(pod: Manifest) -> Iterator[str]:
    together = pod["securityContext"]
    if not together.get("runAsNonRoot") or together.get("runAsUser", 0) == 0 or "seccompProfile" not in together:
        yield "its pods are not held to a user other than root and a seccomp profile"
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        yield from (f"container {container['name']} {p}" for p in _container(container))


def _container(container: Manifest) -> Iterator[str]:
    own, room = container["securityContext"], container["resources"]
    image = container["image"]
    if not image:
        yield "has no image: set image and aggregator_image, by flag or in cluster.toml"
    elif "@" not in image and image.endswith(":latest"):
        yield f"runs {image!r}; allowed: a digest or a tag other than latest"
    if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps privileges"
    if not own.get("readOnlyRootFilesystem"):
        yield "may write to its root file system"
    if not {"cpu", "memory"} <= room.get("requests", {}).keys() or "memory" not in room.get("limits", {}):
        yield "lacks a request of cpu and memory or a limit of memory"


def _size(manifest: Manifest) -> Iterator[str]:
    size = len(json.dumps(manifest))
    if size > LARGEST:
        yield f"it has {size} bytes; allowed: up to {LARGEST}"


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where an object of the server lacks or changes what was sent; what the server adds is its own affair."""
    if wanted in ({}, [], "", None) and found in ({}, [], "", None):
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [d for k, v in wanted.items() for d in differences(v, found.get(k), f"{path}.{k}".lstrip("."))]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            d for i, (w, f) in enumerate(zip(wanted, found, strict=True)) for d in differences(w, f, f"{path}[{i}]")
        ]
    same = (
        quantity(wanted) == quantity(found) if ".resources." in path or path.endswith("sizeLimit") else wanted == found
    )
    return [] if same else [f"{path} is {_short(found)}, not {_short(wanted)}"]


def quantity(text: Any) -> Any:
    """A Kubernetes quantity as a number, so that 1000m and 1 are equal; anything else as it is."""
    units = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    if not isinstance(text, str):
        return text
    number = text.rstrip("mkMGTKi")
    try:
        return float(number) * units.get(text[len(number) :], 1 if text == number else float("nan"))
    except ValueError:
        return text


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= 90 else f"{text[:87]}..."
