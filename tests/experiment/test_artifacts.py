"""A commit names its artifacts by key and digest, and what is read is what it names, or an error."""

from __future__ import annotations

import pytest

from experiment import artifacts, keys
from experiment.errors import InvalidInput, NotFound
from experiment.grid import load_grid

CELL, OTHER = load_grid("demo").cells[3:5]
COMMIT = keys.epochs(CELL)
USUAL = keys.predictions(CELL)
OWN = keys.artifact_beside(keys.model(CELL.id, "M"), "a2")
DIGEST = artifacts.compute_digest(b"content")


def provenance(**named):
    return {"attempt": "a1", **artifacts.name_artifacts({USUAL: DIGEST, OWN: DIGEST, **named})}


def test_what_a_commit_names_is_found_by_its_usual_key():
    found = artifacts.list_artifacts(provenance(), COMMIT, "it")

    assert {usual: a.key for usual, a in found.items()} == {USUAL: USUAL, keys.model(CELL.id, "M"): OWN}
    assert artifacts.find_artifact(provenance(), keys.model(CELL.id, "M"), COMMIT, "it").key == OWN


def test_the_names_are_in_one_order():
    first, second = (artifacts.name_artifacts(dict.fromkeys(order, DIGEST)) for order in ([OWN, USUAL], [USUAL, OWN]))

    assert str(first) == str(second)


def test_a_commit_of_the_time_before_digests_is_told_apart():
    assert artifacts.are_named(provenance())
    assert not artifacts.are_named({"attempt": "a1"})
    assert artifacts.list_artifacts({}, COMMIT, "it") == {}
    assert artifacts.find_artifact({}, USUAL, COMMIT, "it") == artifacts.Artifact(key=USUAL, sha256="", commit=COMMIT)


def test_an_artifact_that_a_commit_does_not_name_is_none_of_its_own():
    with pytest.raises(NotFound, match=r"it names no models/.*ST\.keras as an artifact of its cell; remove it and"):
        artifacts.find_artifact(provenance(), keys.model(CELL.id, "ST"), COMMIT, "it")


@pytest.mark.parametrize(
    "named",
    [
        {keys.predictions(OTHER): DIGEST},
        {keys.predictions(CELL).replace("method=ce", "method=l2"): DIGEST},
        {keys.model(OTHER.id, "M"): DIGEST},
        {keys.model(CELL.id, "M"): DIGEST},
        {"../../etc/passwd": DIGEST},
        {COMMIT: DIGEST},
        {keys.model(CELL.id, "ST"): DIGEST[:-1]},
        {keys.model(CELL.id, "ST"): None},
    ],
    ids=[
        "predictions of another cell",
        "predictions elsewhere",
        "a model of another cell",
        "a second M",
        "a file outside the store",
        "itself",
        "a short digest",
        "no digest",
    ],
)
def test_a_commit_that_names_what_is_not_its_own_is_refused(named):
    with pytest.raises(
        InvalidInput, match="as an artifact of its cell; allowed: its predictions and models, each once"
    ):
        artifacts.list_artifacts(provenance(**named), COMMIT, "it")


@pytest.mark.parametrize("named", [None, [], "x", 1])
def test_names_in_another_form_are_refused(named):
    with pytest.raises(InvalidInput, match=r"^it names ''"):
        artifacts.list_artifacts({artifacts.FIELD: named}, COMMIT, "it")


def test_an_artifact_is_read_as_its_commit_names_it(local_store):
    local_store.put(USUAL, b"content")

    assert (
        artifacts.read_artifact(local_store, artifacts.Artifact(key=USUAL, sha256=DIGEST, commit=COMMIT)) == b"content"
    )


def test_another_content_is_refused_with_what_to_do(local_store):
    artifact = artifacts.Artifact(key=USUAL, sha256=DIGEST, commit=COMMIT)
    local_store.put(USUAL, b"other")

    advice = f"restore it from a copy, or remove {COMMIT} and launch its run again"
    with pytest.raises(InvalidInput, match=rf"{USUAL} has sha256 .*, and its commit names {DIGEST}; {advice}"):
        artifacts.read_artifact(local_store, artifact)
    local_store.delete(USUAL)
    with pytest.raises(InvalidInput, match=rf"{USUAL} does not exist, and {COMMIT} names it; {advice}"):
        artifacts.read_artifact(local_store, artifact)


def test_without_a_digest_any_content_is_taken_and_none_is_told(local_store):
    artifact = artifacts.Artifact(key=USUAL, sha256="", commit=COMMIT)
    with pytest.raises(NotFound):
        artifacts.read_artifact(local_store, artifact)
    local_store.put(USUAL, b"other")

    assert artifacts.read_artifact(local_store, artifact) == b"other"


def test_a_named_artifact_is_read_where_the_commit_says_it_lies(local_store):
    local_store.put(USUAL, b"another attempt's")
    beside = keys.artifact_beside(USUAL, "a2")
    local_store.put(beside, b"content")
    facts = artifacts.name_artifacts({beside: artifacts.compute_digest(b"content")})

    assert artifacts.read_named(local_store, facts, USUAL, COMMIT) == (b"content", f"{local_store.url}/{beside}")
