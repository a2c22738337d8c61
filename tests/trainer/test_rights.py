"""The pod that prepares a data set tries what attempts will do to the store, and says what is refused."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput, Misconfigured
from trainer.rights import check_rights


@pytest.mark.parametrize("name", ["local_store", "moto_store"])
def test_a_store_that_lets_attempts_work_is_left_as_it_was(name, request):
    store = request.getfixturevalue(name)

    check_rights(store)

    assert list(store.list("")) == []


@pytest.mark.parametrize("operation", ["put_once", "read", "delete"])
def test_what_is_refused_is_said(local_store, monkeypatch, operation):
    def refuse(*_):
        raise Misconfigured(f"{operation} is refused")

    monkeypatch.setattr(local_store, operation, refuse)
    with pytest.raises(Misconfigured, match=f"{operation} is refused"):
        check_rights(local_store)


@pytest.mark.parametrize(("operation", "answer"), [("put_once", True), ("put_once", False), ("read", b"other")])
def test_a_store_that_keeps_something_else_than_the_first_write_is_refused(local_store, monkeypatch, operation, answer):
    if operation == "put_once":
        monkeypatch.setattr(local_store, "read", lambda _: b"")
    monkeypatch.setattr(local_store, operation, lambda *_: answer)

    with pytest.raises(InvalidInput, match="did not keep progress/probe-"):
        check_rights(local_store)
