"""All files under a folder are listed, through links too; what cannot be read is an error that names it."""

from __future__ import annotations

import os

import pytest

from experiment.errors import InvalidInput
from experiment.folders import walk_files

LIST = """
import sys
from experiment.errors import ExperimentError
from experiment.store import open_store
try:
    store = open_store(sys.argv[1])
    print(getattr(store, sys.argv[2])(sys.argv[3]) if sys.argv[2] != "list" else list(store.list(sys.argv[3])))
except ExperimentError as error:
    print(error.exit_code, error)
"""


@pytest.fixture
def elsewhere(local_store, tmp_path):
    """A folder of the store that was moved to another place, with a link left."""
    local_store.put("results/dataset=digits/method=ce/c/epochs.parquet", b"x")
    place = tmp_path / "disk"
    (local_store.root / "results" / "dataset=digits").rename(place)
    (local_store.root / "results" / "dataset=digits").symlink_to(place)
    return place


KEY = "results/dataset=digits/method=ce/c/epochs.parquet"


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("prefix", ["", "results/", "results/dataset=digits/method=ce/", "results/dataset=digits/m"])
def test_a_folder_that_was_moved_and_linked_is_listed_and_read(prefix, local_store):
    assert list(local_store.list(prefix)) == [KEY]
    assert local_store.exists(KEY)
    assert local_store.read(KEY) == b"x"


@pytest.mark.parametrize("prefix", ["", "results/", "results/dataset=digits/method=ce/"])
def test_a_link_to_a_place_that_is_gone_is_an_error_and_no_missing_folder(prefix, elsewhere, local_store):
    elsewhere.rename(elsewhere.with_name("unmounted"))
    message = f"dataset=digits is a link to {elsewhere}, which does not exist; mount or restore that place"
    with pytest.raises(InvalidInput, match=message):
        list(local_store.list(prefix))
    for verb in (local_store.read, local_store.exists):
        with pytest.raises(InvalidInput, match=message):
            verb(KEY)


def test_a_link_to_a_file_that_is_gone_is_an_error(local_store):
    local_store.put("k", b"x")
    (local_store.root / "link").symlink_to("nowhere")
    with pytest.raises(InvalidInput, match="link is a link to nowhere, which does not exist"):
        list(local_store.list(""))


@pytest.mark.parametrize("target", [".", "..", "../..", "loop"])
def test_links_in_a_circle_end(target, local_store):
    local_store.put("a/b/k", b"x")
    (local_store.root / "a" / "b" / "loop").symlink_to(target)
    if target == "loop":
        with pytest.raises(InvalidInput, match=r"a/b/loop"):
            list(local_store.list("a/"))
    else:
        assert "a/b/k" in list(local_store.list("a/"))


def test_two_links_to_one_folder_are_both_listed(local_store):
    local_store.put("a/k", b"x")
    (local_store.root / "b").symlink_to("a")
    (local_store.root / "c").symlink_to("a")

    assert list(local_store.list("")) == ["a/k", "b/k", "c/k"]


def test_hidden_files_and_folders_and_what_is_no_file_are_passed_over(local_store):
    local_store.put("a/k", b"x")
    local_store.put("a/.snapshot/k", b"x")
    local_store.put("a/.hidden", b"x")
    os.mkfifo(local_store.root / "a" / "pipe")

    assert list(local_store.list("")) == ["a/k"]


def test_a_folder_that_does_not_exist_or_is_a_file_has_no_files(local_store):
    local_store.put("a", b"x")

    assert list(walk_files(local_store.root / "none")) == list(walk_files(local_store.root / "a")) == []
    assert list(walk_files(local_store.root / "a" / "b")) == []
    assert not local_store.exists("a/b")


@pytest.mark.parametrize("locked", ["results", "results/dataset=digits", "results/dataset=digits/method=ce/c"])
@pytest.mark.parametrize(("verb", "key"), [("list", ""), ("list", "results/"), ("exists", KEY), ("read", KEY)])
def test_a_folder_without_rights_is_an_error_that_names_it(locked, verb, key, shared_folder, unprivileged):
    path = shared_folder / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    (shared_folder / locked).chmod(0)
    said = unprivileged(LIST, shared_folder, verb, key).stdout

    assert said.startswith("42 ")
    assert f"{shared_folder}/{locked}" in said
    assert "cannot be used: Permission denied" in said


def test_a_store_without_rights_is_an_error_that_names_it(shared_folder, unprivileged):
    (shared_folder / "store").mkdir()
    (shared_folder / "store").chmod(0)
    said = unprivileged(LIST, shared_folder / "store", "list", "").stdout

    assert said.startswith(f"42 {shared_folder}/store")
    assert "cannot be used: Permission denied" in said
