"""The user's own patch of the pods, for what no setting says: merged as the API server merges, then checked like all else."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiment.errors import refuse
from experiment.needs import require_packages
from k8s.manifests import names
from k8s.manifests.names import Manifest

require_packages("k8s", "yaml")
import yaml  # noqa: E402

# By what the entries of a list are told apart, as in a strategic merge of the API server. Other lists are replaced.
MERGE_KEYS = {
    **dict.fromkeys(("containers", "initContainers", "volumes", "env", "imagePullSecrets"), "name"),
    "volumeMounts": "mountPath",
}
TOP = ("metadata", "spec")  # of a pod template
OWN_CONTAINERS = (*names.PARTS, names.AWAIT)
ALLOWED = "metadata and spec of a pod template"


def read_patch(path: str) -> Manifest:
    """Returns the content of a patch file: ``metadata`` and ``spec`` of a pod template, or one of them; empty without a path.

    Raises:
        InvalidInput: the file is missing or no YAML, or holds something else.
    """
    if not path:
        return {}
    try:
        found = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise refuse("setting pod_patch", path, f"a YAML file with {ALLOWED}", f"check it: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise refuse("setting pod_patch", path, f"a YAML file with {ALLOWED}", f"correct it: {reason}") from error
    if not isinstance(found, dict) or not found or not found.keys() <= set(TOP):
        given = sorted(map(str, found)) if isinstance(found, dict) else type(found).__name__
        raise refuse(f"the content of {path}", given, ALLOWED, "correct it")
    return found


def patch_pods(job: Manifest, patch: Mapping[str, Any]) -> Manifest:
    """Returns a Job with a patch merged into its pod template.

    Raises:
        InvalidInput: the patch has a text where a table belongs, or the like.
    """
    template = _merge(job["spec"]["template"], patch, "pod_patch")
    return {**job, "spec": {**job["spec"], "template": template}}


def _merge(value: Any, patch: Any, path: str) -> Any:
    if isinstance(value, dict) and isinstance(patch, Mapping):
        merged = {k: _merge(value.get(k), v, f"{path}.{k}") for k, v in patch.items() if v is not None}
        return {k: v for k, v in value.items() if k not in patch} | merged
    key = MERGE_KEYS.get(path.rpartition(".")[2])
    if key and isinstance(value, list | None) and _is_named(patch, key):
        return _merge_entries(value or [], patch, key, path)
    if (isinstance(value, dict | list) and type(value) is not type(patch)) or key:
        kind = "a table" if isinstance(value, dict) else f"a list of tables with {key}" if key else "a list"
        raise refuse(f"{path} in the patch", patch, kind, "correct it")
    return copy.deepcopy(patch)


def _is_named(patch: Any, key: str) -> bool:
    return isinstance(patch, list) and all(isinstance(e, dict) and isinstance(e.get(key), str) for e in patch)


def _merge_entries(entries: list[Any], patch: list[Any], key: str, path: str) -> list[Any]:
    by_name = {entry[key]: entry for entry in patch}
    merged = [_merge(e, by_name.pop(e[key], {}), f"{path}[{e[key]}]") for e in entries]
    # One patch serves every Job: a container of another part is none of this pod's.
    return merged + [copy.deepcopy(e) for name, e in by_name.items() if name not in OWN_CONTAINERS]
