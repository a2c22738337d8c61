"""Sealed JSON: an object with its schema version and the sha256 of its canonical form, which shows any damage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from experiment.errors import InvalidInput, refuse

T = TypeVar("T")
# What reading any JSON as a known one raises.
SHAPELESS = (ValueError, AttributeError, KeyError, TypeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class SealedForm:
    """The form of one kind of sealed object.

    Attributes:
        what: name of the kind in errors.
        schema: schema version that is written and read.
        advice: what the user should do about a damaged or foreign object.
        schema_field: field of the version.
        digest_field: field of the sha256 of all other fields.
    """

    what: str
    schema: int
    advice: str
    schema_field: str = "schema_version"
    digest_field: str = "sha256"

    def to_bytes(self, body: Mapping[str, Any]) -> bytes:
        """Returns the body as JSON with its version and digest."""
        whole = json.loads(json.dumps({**body, self.schema_field: self.schema}))
        return json.dumps({**whole, self.digest_field: digest_json(whole)}, indent=1, sort_keys=True).encode()

    def from_bytes(self, data: bytes, source: str) -> dict[str, Any]:
        """Returns the body of a sealed object; ``source`` names it in errors.

        Raises:
            InvalidInput: the object is foreign, damaged or of another version.
        """
        try:
            body: dict[str, Any] = json.loads(data)
            digest = body.pop(self.digest_field)
            schema, right = body[self.schema_field], digest_json(body)
        except SHAPELESS as error:
            raise InvalidInput(f"{source} is not {self.what} ({error!r}); {self.advice}") from error
        if digest != right:
            raise InvalidInput(f"{source} is damaged: its content does not have its sha256; {self.advice}")
        if schema != self.schema:
            advice = "use the version of the suite that wrote it"
            raise refuse(f"the schema of {source}", schema, str(self.schema), advice)
        del body[self.schema_field]
        return body

    def parse(self, data: bytes, source: str, build: Callable[[dict[str, Any]], T]) -> T:
        """Returns what ``build`` makes of the body of a sealed object; a seal keeps from damage, and anybody can set one.

        Raises:
            InvalidInput: the object is foreign, damaged or of another version, or its body has another form.
        """
        body = self.from_bytes(data, source)
        try:
            return build(body)
        except SHAPELESS as error:
            raise InvalidInput(f"{source} is not {self.what} ({error!r}); {self.advice}") from error


def digest_json(body: object) -> str:
    """Returns the sha256 of a JSON value's canonical form: sorted keys, no blanks."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
