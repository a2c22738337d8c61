"""Checks manifests for the known pitfalls of Jobs before a server sees them. Pure: a manifest in, sentences out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from experiment.errors import InvalidInput
from k8s.manifests.names import Manifest
from k8s.manifests.setting_rules import KEY, NAME, VALUE

MOST_PARALLEL = 100_000  # of an Indexed Job
LARGE_JOB = 100_000  # completions above which backoffLimitPerIndex needs the two limits below
LARGE_JOB_LIMIT = 10_000
MOST_RULES, MOST_CODES = 20, 255
LARGEST = 1_000_000  # bytes: etcd refuses objects of about 1.5 MiB, annotations and status come on top
LONGEST_GRACE = 115  # seconds: a spot node is gone two minutes after its notice
LEAST_TTL = 3600  # seconds: the collecting Job must see a finished Job before it is removed


def check_manifests(manifests: Iterable[Manifest]) -> None:
    """Accepts the manifests of a launch.

    Raises:
        InvalidInput: the server would refuse some of them, or they would not do what they should; all problems are named.
    """
    found = [f"{m['kind']} {m['metadata']['name']}: {p}" for m in manifests for p in find_problems(m)]
    if found:
        raise InvalidInput(f"{'; '.join(found)}; correct the settings")


def find_problems(manifest: Manifest) -> list[str]:
    """Returns what is wrong with a Job, one sentence each."""
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
    # The host name of the last pod, which the server checks at creation.
    last = f"{manifest['metadata']['name']}-{spec.get('completions', 1) - 1}"
    if not NAME.fullmatch(last):
        allowed = "up to 63 of a-z, 0-9 and '-'"
        yield f"its last pod would be called {last!r}, of {len(last)} characters; allowed: {allowed}; choose a shorter --run"
    for where in (manifest["metadata"], spec["template"]["metadata"]):
        for key, value in where["labels"].items():
            if not KEY.fullmatch(key) or not VALUE.fullmatch(value):
                yield f"the label {key}={value} cannot be given; allowed: up to 63 letters, digits, '-', '_' and '.'"


def _limits(spec: Manifest) -> Iterator[str]:
    completions, parallelism = spec.get("completions", 1), spec.get("parallelism", 1)
    if not 1 <= parallelism <= MOST_PARALLEL:
        yield f"parallelism is {parallelism}; allowed: 1 to {MOST_PARALLEL}"
    if completions > LARGE_JOB and "backoffLimitPerIndex" in spec:
        for name, value in (("parallelism", parallelism), ("max_failed", spec.get("maxFailedIndexes", -1))):
            if not 0 <= value <= LARGE_JOB_LIMIT:
                yield f"{name} is {value}; allowed with {completions} cells in a Job: 0 to {LARGE_JOB_LIMIT}"


def _rules(spec: Manifest, pod: Manifest) -> Iterator[str]:
    rules = spec["podFailurePolicy"]["rules"]
    first = rules[0] if rules else {}
    if first.get("action") != "Ignore" or [c["type"] for c in first.get("onPodConditions", ())] != ["DisruptionTarget"]:
        yield "the first rule does not ignore disruptions: a lost node would cost a retry"
    if pod.get("restartPolicy") != "Never":
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
    if pod.get("terminationGracePeriodSeconds", 30) > LONGEST_GRACE:
        yield f"the grace period is {pod['terminationGracePeriodSeconds']} s; allowed: up to {LONGEST_GRACE}, within a spot node's notice"


def _pod(pod: Manifest) -> Iterator[str]:
    together = pod.get("securityContext") or {}
    if not together.get("runAsNonRoot") or together.get("runAsUser", 0) == 0 or "seccompProfile" not in together:
        yield "its pods are not held to a user other than root and a seccomp profile"
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        yield from (f"container {container['name']} {p}" for p in _container(container))


def _container(container: Manifest) -> Iterator[str]:
    own, room = container.get("securityContext") or {}, container.get("resources") or {}
    image = container.get("image", "")
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
