"""Fills the templates strictly, text to YAML to dicts, and proves that no value changed their shape."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from experiment.errors import InvalidInput
from experiment.needs import require_packages
from k8s.manifests.names import Manifest

require_packages("k8s", "jinja2", "yaml")  # a launch on this machine does without them
import jinja2  # noqa: E402
import yaml  # noqa: E402

ADVICE = "allowed: printable text; look for odd characters in the settings"


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(  # noqa: S701 - it writes YAML, every value of it by tojson, and compares what came out
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill_document(template: str, values: Mapping[str, Any]) -> Manifest:
    """Returns the one document of a template, filled with these values."""
    (only,) = fill_documents(template, values)
    return only


def fill_documents(template: str, values: Mapping[str, Any]) -> list[Manifest]:
    """Returns the documents of a template, filled with these values.

    The template is filled twice, the second time with a plain word in place of every text, and then the texts are put back.
    Both results must be equal, so no value can add, remove or rename a key.

    Raises:
        InvalidInput: a value does not come through YAML unchanged.
    """
    words: dict[str, str] = {}
    plain = {k: _replace(v, lambda text: words.setdefault(text, f"word{len(words)}x")) for k, v in values.items()}
    back = {word: text for text, word in words.items()}
    found = _fill(template, values)
    if found != _replace(_fill(template, plain), lambda text: back.get(text, text)):
        raise InvalidInput(f"a value changes the manifest {template}; {ADVICE}")
    return found


def _fill(template: str, values: Mapping[str, Any]) -> list[Manifest]:
    text = _templates().get_template(f"{template}.yaml.j2").render(values)
    try:
        return [d for d in yaml.safe_load_all(text) if d is not None]
    except yaml.YAMLError as error:
        raise InvalidInput(f"a value breaks the manifest {template}; {ADVICE}") from error


def _replace(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value) if value else value
    if isinstance(value, Mapping):
        return {_replace(k, change): _replace(v, change) for k, v in value.items()}
    return [_replace(v, change) for v in value] if isinstance(value, (list, tuple)) else value


def to_yaml(manifests: Iterable[Manifest]) -> str:
    """Returns the manifests as YAML for people and ``kubectl``."""
    copies = (json.loads(json.dumps(m)) for m in manifests)  # equal parts would come out as YAML anchors
    return "---\n".join(yaml.safe_dump(m, sort_keys=False, width=120) for m in copies)
