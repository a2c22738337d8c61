"""Templates are filled strictly: no value that a user gives changes their shape."""

from __future__ import annotations

import string

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import InvalidInput
from k8s.manifests import template
from tests.k8s.factories import shape_of


def test_a_template_that_lacks_a_value_is_an_error():
    with pytest.raises(Exception, match=r"undefined|not JSON"):
        template.fill_document("trainer", {"job": "j"})


relaxed = hypothesis.settings(deadline=None, max_examples=60)  # the first fill compiles the template
HOSTILE = st.text(alphabet=st.sampled_from(string.printable + "é\u0085\u2028'\"{}%#:\n"), max_size=40)
KEYS = st.text(alphabet=string.ascii_letters + string.digits + "\"': #{}%\n", min_size=1, max_size=20)


VALUES = {
    **{key: {} for key in ("labels", "job_labels", "annotations", "job_annotations", "requests", "limits")},
    "job": "j",
    "namespace": "n",
    "run_url": "s3://b/runs/r",
    "account": "a",
    "image": "i",
    "scratch": "1Gi",
    "pull_secrets": [],
    "node_selector": {},
    "tolerations": [],
    "priority_class": None,
    **dict.fromkeys(("ca_bundle", "ca_folder", "ca_file", "notify")),
    "env": [],
    "grace_seconds": 100,
    "ttl_seconds": 1,
    "refresh_seconds": "60",
    "hopeless_minutes": "15",
}


@relaxed
@given(st.sampled_from(sorted(k for k, v in VALUES.items() if isinstance(v, str))), HOSTILE)
def test_no_text_in_any_place_injects_a_key(place, text):
    expected = shape_of(template.fill_document("collect", VALUES))
    try:
        found = template.fill_document("collect", {**VALUES, place: text})
    except InvalidInput:
        return

    assert shape_of(found) == expected
    assert text in str(found) or repr(text)[1:-1] in str(found) or not text


@relaxed
@given(st.dictionaries(KEYS, HOSTILE, max_size=4))
def test_a_table_arrives_as_it_is_or_is_refused(table):
    try:
        found = template.fill_document(
            "collect", {**VALUES, "labels": table, "env": [{"name": "A", "value": v} for v in table.values()]}
        )
    except InvalidInput:
        return

    assert found["spec"]["template"]["metadata"]["labels"] == table
    assert [e["value"] for e in found["spec"]["template"]["spec"]["containers"][0]["env"][1:]] == list(table.values())
