"""A sealed object is read as it was written; what is foreign, damaged or of another version is refused by name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import InvalidInput
from experiment.sealed import SealedForm

FORM = SealedForm(what="a list of things", schema=3, advice="make it again")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
BODIES = st.dictionaries(st.text().filter(lambda name: name not in ("schema_version", "sha256")), JSON)


@given(BODIES)
def test_a_body_survives_the_way_through_a_sealed_object(body):
    assert FORM.from_bytes(FORM.to_bytes(body), "here") == body


def test_the_digest_covers_version_and_body():
    sealed = json.loads(FORM.to_bytes({"a": 1}))
    for field, other in (("a", 2), ("schema_version", 4)):
        with pytest.raises(InvalidInput, match="here is damaged: its content does not have its sha256; make it again"):
            FORM.from_bytes(json.dumps({**sealed, field: other}).encode(), "here")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"{}", b"\xff", b'"x"', b'{"sha256": 1}'])
def test_what_is_not_sealed_is_refused(content):
    with pytest.raises(InvalidInput, match=r"here is not a list of things \(.*\); make it again"):
        FORM.from_bytes(content, "here")


def test_another_version_is_refused_with_the_one_that_is_read():
    newer = SealedForm(what="a list of things", schema=4, advice="").to_bytes({})
    with pytest.raises(
        InvalidInput, match="the schema of here is 4; allowed: 3; use the version of the suite that wrote it"
    ):
        FORM.from_bytes(newer, "here")
