"""What every store promises, whatever is behind it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from experiment import keys
from experiment.errors import InvalidInput, NotFound
from experiment.store import LocalStore, check_conditional_writes, open_store, store_directory
from experiment.urls import run_url, split_run_url


def test_what_is_put_is_read(store):
    store.put("a/b.json", b"one")
    store.put("a/b.json", b"two")

    assert store.read("a/b.json") == b"two"
    assert store.exists("a/b.json")


def test_an_empty_object_is_an_object(store):
    assert store.put_once("empty", b"", "me")
    assert store.read("empty") == b""


def test_put_once_publishes_the_first_and_drops_the_second(store):
    assert store.put_once("k", b"first", "one")
    assert not store.put_once("k", b"second", "two")
    assert store.read("k") == b"first"


def test_what_is_absent_is_not_found(store):
    assert not store.exists("a")
    with pytest.raises(NotFound, match="a does not exist; check"):
        store.read("a")


def test_list_gives_sorted_keys_under_a_prefix_only(store):
    for key in ("x/2", "x/10", "x/deep/er", "xy", "y/1"):
        store.put(key, b"")

    assert list(store.list("x/")) == ["x/10", "x/2", "x/deep/er"]
    assert list(store.list("x/deep")) == ["x/deep/er"]
    assert list(store.list("")) == ["x/10", "x/2", "x/deep/er", "xy", "y/1"]
    assert list(store.list("none/")) == []


def test_find_gives_sorted_keys_under_any_of_the_prefixes(store):
    for key in ("x/2", "x/10", "x/deep/er", "x-1", "xy", "y/1", "z"):
        store.put(key, b"")

    assert list(store.find(["y/", "x/deep/", "x/2", "x/deep/er", "none/"])) == ["x/2", "x/deep/er", "y/1"]
    assert list(store.find(["x/1", "z"])) == ["x/10", "z"]
    assert list(store.find([""])) == ["x-1", "x/10", "x/2", "x/deep/er", "xy", "y/1", "z"]
    assert list(store.find([])) == []


def test_list_gives_more_than_one_page_of_keys(moto_store, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    wanted = [f"many/{i}" for i in range(8)]
    for key in wanted:
        moto_store.put(key, b"")

    assert len(moto_store._client.list_objects_v2(Bucket=moto_store.bucket)["Contents"]) == 3
    assert list(moto_store.list("many/")) == wanted


def test_delete_removes_and_does_not_mind_absence(store):
    store.put("a", b"")
    store.delete("a")
    store.delete("a")

    assert not store.exists("a")


def test_of_many_writers_at_once_exactly_one_wins_each_key(store):
    won: dict[str, list[int]] = {f"k{i}": [] for i in range(8)}
    gate = threading.Barrier(8)

    def write(writer: int) -> None:
        gate.wait()
        for key, winners in won.items():
            if store.put_once(key, f"{writer}".encode() * 1000, f"attempt-{writer}"):
                winners.append(writer)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()

    assert all(len(winners) == 1 for winners in won.values())
    assert all(store.read(key) == f"{winners[0]}".encode() * 1000 for key, winners in won.items())


def test_a_store_is_opened_again_by_its_own_url(store):
    store.put("k", b"v")
    again = open_store(store.url)

    assert again.read("k") == b"v"
    assert split_run_url(run_url(again.url, "r")) == (store.url, "r")
    if hasattr(again, "_client"):
        again._client.close()


def test_only_a_directory_gives_files(store):
    store.put("k", b"v")
    path = store.local_path("k")

    assert path.read_bytes() == b"v" if isinstance(store, LocalStore) else path is None


@pytest.mark.parametrize(
    "url", ["http://host/x", "gs://bucket/x", "file://elsewhere/x", "s3://", "s3:///prefix", "s3://b/p?x=1"]
)
def test_another_kind_of_url_is_refused_with_what_is_allowed(url):
    with pytest.raises(InvalidInput, match=r"the store is .*allowed: .*; correct --store"):
        open_store(url)


NAMES = [
    "a store",
    "exp#1",
    "a%20b",
    "q?z",
    "runs",
    "~x",
    "x=1&y",
    "ünï",
    "a:b",
    "file",
    "s3",
    "100%",
    "a'b",
    'a"b',
    "-x",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["path", "relative", "file://", "file://localhost", "FILE://", "file:"])
def test_a_directory_of_any_name_may_be_named_as_path_or_url(form, name, tmp_path, monkeypatch):
    place = tmp_path / name
    place.mkdir()
    monkeypatch.chdir(tmp_path)
    url = {"path": str(place), "relative": f"./{name}"}.get(form, f"{form}{quote(str(place))}")
    store = open_store(url)
    store.put("results/k", b"x")

    assert store.url == str(place)
    assert store_directory(url).resolve() == place
    assert list(open_store(store.url).list("")) == ["results/k"]


@pytest.mark.parametrize("name", ["a:b", "exp:1/x", "s3", "http", "x.y-z+1:2"])
def test_a_relative_directory_may_have_a_colon_in_its_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert open_store(name, create=True).url == str(tmp_path / name)


@pytest.mark.parametrize("form", ["here/../store", "../store", "here/./store/", "here/inner/../../here/store"])
def test_a_store_may_be_named_through_parents(form, tmp_path, monkeypatch):
    (tmp_path / "here" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" if form.startswith("..") else tmp_path)
    store = open_store(form, create=True)
    store.put("results/k", b"x")

    assert store.url == str(Path(form).resolve())
    assert list(store.list("results/")) == ["results/k"]


def test_a_parent_of_a_link_is_the_one_that_the_system_finds(tmp_path):
    (tmp_path / "disk" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "deep")

    assert open_store(f"{tmp_path}/link/../store", create=True).url == f"{tmp_path}/disk/store"


def test_a_tilde_is_the_user_s_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert open_store("~/store", create=True).url == str(tmp_path / "store")
    with pytest.raises(InvalidInput, match="the store is '~no-such-user/store'; allowed: ~ or ~USER of a user"):
        open_store("~no-such-user/store", create=True)


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(InvalidInput, match=r"cannot be used: .*; correct --store"):
        open_store("a\0b", create=True)


@pytest.mark.parametrize(
    "url", ["file:///a?b", "file:///a#b", "file://a", "file:a", "file:", "s3:bucket", "s3:/bucket/x"]
)
def test_a_url_that_would_name_another_place_is_refused(url):
    with pytest.raises(InvalidInput, match=r"the store is .*; allowed: a directory, file:///DIRECTORY"):
        open_store(url, create=True)


def test_the_extra_of_a_kind_of_store_is_named_where_it_is_missing():
    code = """
import sys
sys.modules["boto3"] = None
from experiment.errors import InvalidInput
from experiment.store import open_store
try:
    open_store("s3://b/p")
except InvalidInput as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout

    assert said.startswith("the store is 's3://b/p'; ")
    assert said.endswith("boto3 is not installed; install the extra s3\n")


def test_a_store_that_keeps_the_first_write_passes_at_every_launch(store):
    for _ in range(2):
        check_conditional_writes(store)

    assert list(store.list("")) == [keys.PROBE]


def test_a_directory_that_may_not_be_written_fails_before_a_launch_begins(shared_folder, unprivileged):
    (shared_folder / "store").mkdir(mode=0o555)
    code = """
import sys
from experiment.errors import ExperimentError
from experiment.store import check_conditional_writes, open_store
try:
    check_conditional_writes(open_store(sys.argv[1]))
except ExperimentError as error:
    print(error.exit_code, error)
"""
    said = unprivileged(code, shared_folder / "store").stdout

    assert said.startswith(f"42 {shared_folder}/store/probe.txt")
    assert "cannot be used: Permission denied" in said


def test_a_missing_store_is_refused_unless_it_is_to_be_made(tmp_path):
    with pytest.raises(
        InvalidInput, match="allowed: an existing directory; check --store, or launch a grid to make it"
    ):
        open_store(str(tmp_path / "none"))
    assert open_store(str(tmp_path / "none"), create=True).url == str(tmp_path / "none")


@pytest.mark.parametrize("place", ["/dev/null/store", "/proc/store"])
def test_a_place_where_no_store_can_be_made_is_refused(place):
    with pytest.raises((InvalidInput, NotFound), match=f"{place} (cannot be used|does not exist)"):
        open_store(place, create=True)


@pytest.mark.parametrize("url", ["store", "store/runs", "store/runs/", "/runs/x", "store/runs/a/b", ""])
def test_a_run_is_named_as_store_runs_run(url):
    with pytest.raises(InvalidInput, match="allowed: STORE/runs/RUN"):
        split_run_url(url)


@pytest.mark.parametrize("url", ["s/runs/r", "/a/b/runs/r", "s3://b/p/runs/r", "s3://b/runs/r", "/a/runs/b/runs/r/"])
def test_a_run_url_is_split_into_store_and_run(url):
    assert split_run_url(url) == (url.rstrip("/").removesuffix("/runs/r"), "r")
