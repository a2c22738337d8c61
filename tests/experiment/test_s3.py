"""The S3 store where networks, servers and rights fail: every request is judged by what it left in the bucket."""

from __future__ import annotations

import base64
import hashlib

import boto3
import pytest

from experiment.errors import InvalidInput, Transient
from experiment.s3 import ATTEMPTS, S3Store
from experiment.store import check_conditional_writes, open_store
from tests.experiment.servers import WithoutConditions
from tests.faults import Proxy

INNER = 3  # tries of the client within one of ours
MANY = 100
pytestmark = pytest.mark.usefixtures("impatient_client")


def _behind(direct, s3_environment):
    waited = []
    with Proxy(direct._client.meta.endpoint_url) as proxy:
        s3_environment(proxy.url)
        store = S3Store(direct.url, sleep=waited.append)
        store.waited = waited
        yield store, proxy, direct
        store._client.close()


@pytest.fixture(params=["moto_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def behind(request, s3_environment):
    """(store behind a proxy, the proxy, the same store without it)."""
    yield from _behind(request.getfixturevalue(request.param), s3_environment)


@pytest.fixture
def behind_minio(minio_store, s3_environment):
    """The same in front of the real server, which sends checksums."""
    yield from _behind(minio_store, s3_environment)


def test_a_put_whose_answer_was_lost_is_recognised_as_our_own(behind):
    store, proxy, direct = behind
    proxy.faults = {"PUT": ["lost"]}

    assert store.put_once("k", b"mine", "me")
    assert proxy.seen.count("PUT") == 2
    assert direct.read("k") == b"mine"


def test_a_put_whose_answer_was_lost_to_another_winner_is_not_ours(behind):
    store, proxy, direct = behind
    direct.put_once("k", b"theirs", "they")
    proxy.faults = {"PUT": ["lost"]}

    assert not store.put_once("k", b"mine", "me")
    assert direct.read("k") == b"theirs"


@pytest.mark.parametrize("fault", ["SlowDown", "InternalError", "ConditionalRequestConflict"])
def test_a_put_that_the_server_could_not_do_now_is_done_later(fault, behind):
    store, proxy, direct = behind
    proxy.faults = {"PUT": [fault] * (INNER + 1)}  # more than the client itself tries again

    assert store.put_once("k", b"mine", "me")
    assert direct.read("k") == b"mine"
    assert store.waited


@pytest.mark.parametrize("fault", ["SlowDown", "cut", "lost"])
def test_a_read_is_repeated_whole_until_it_is_whole(fault, behind):
    store, proxy, direct = behind
    direct.put("k", b"x" * 10_000)
    proxy.faults = {"GET": [fault] * 2}

    assert store.read("k") == b"x" * 10_000


@pytest.mark.s3
def test_a_read_whose_bytes_changed_on_the_way_is_repeated(behind_minio):
    store, proxy, direct = behind_minio
    direct.put("k", b"x" * 10_000)
    proxy.faults = {"GET": ["corrupt"] * 2}

    assert store.read("k") == b"x" * 10_000
    proxy.faults = {"GET": ["corrupt"] * MANY}
    with pytest.raises(Transient, match=r"k: .*checksum"):
        store.read("k")


@pytest.mark.parametrize("fault", ["SlowDown", "cut"])
def test_a_read_that_never_succeeds_is_transient_and_names_the_object(fault, behind):
    store, proxy, direct = behind
    direct.put("k", b"x" * 10_000)
    proxy.faults = {"GET": [fault] * MANY}

    with pytest.raises(Transient, match=f"{direct.url}/k: .*; the server failed 5 times, launch again later"):
        store.read("k")
    assert len(store.waited) == ATTEMPTS - 1


@pytest.mark.parametrize("verb", [lambda s: s.read("k"), lambda s: list(s.list(""))], ids=["read", "list"])
def test_missing_rights_are_told_at_once(verb, behind):
    store, proxy, _ = behind
    proxy.faults = {"GET": ["AccessDenied"] * MANY}

    with pytest.raises(InvalidInput, match="is refused by the server: AccessDenied; give this identity the rights"):
        verb(store)
    assert len(proxy.seen) == 1


def test_missing_rights_to_write_publish_nothing(behind):
    store, proxy, direct = behind
    proxy.faults = {"PUT": ["AccessDenied"] * MANY}

    with pytest.raises(InvalidInput, match="AccessDenied"):
        store.put_once("k", b"x", "me")
    assert not direct.exists("k")


@pytest.mark.usefixtures("behind")
def test_a_bucket_that_does_not_exist_is_refused_by_name():
    store = S3Store("s3://no-such-bucket-here/p")
    for verb in (lambda: list(store.list("")), lambda: store.put("k", b"")):
        with pytest.raises(InvalidInput, match=r"s3://no-such-bucket-here/p/.*NoSuchBucket; create the bucket"):
            verb()
    store._client.close()


@pytest.mark.s3
def test_wrong_credentials_are_refused_by_the_real_server(minio_store, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-password")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    store = S3Store(minio_store.url)
    with pytest.raises(InvalidInput, match="SignatureDoesNotMatch; correct the credentials"):
        store.read("k")
    store._client.close()


def test_a_server_that_is_not_there_is_transient(s3_environment):
    s3_environment("http://127.0.0.1:9")
    store = S3Store("s3://bucket/p", sleep=lambda _: None)
    with pytest.raises(Transient, match=r"s3://bucket/p/k: .*127\.0\.0\.1:9"):
        store.read("k")
    store._client.close()


@pytest.mark.s3
def test_an_object_carries_its_checksum_and_its_attempt(minio_store):
    minio_store.put_once("k", b"x", "me")
    head = minio_store._client.head_object(**minio_store._at("k"), ChecksumMode="ENABLED")

    assert head["Metadata"] == {"attempt": "me"}
    assert head["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"x").digest()).decode()


def test_a_bucket_may_be_used_without_a_prefix(moto_store):
    store = open_store(f"s3://{moto_store.bucket}")
    store.put("a/b", b"x")

    assert (list(store.list("")), store.url) == (["a/b"], f"s3://{moto_store.bucket}")
    store._client.close()


def test_two_prefixes_of_one_bucket_do_not_see_each_other(moto_store):
    other = open_store(f"s3://{moto_store.bucket}/some/prefix-2")
    other.put("k", b"x")

    assert list(moto_store.list("")) == []
    other._client.close()


WRONG = [
    "s3://",
    "s3:///p",
    "s3://b/p?x=1",
    "s3://b/p#1",
    "s3://b/../p",
    "s3://b/a/./p",
    "s3://h:9000/b",
    "s3://b/a\nb",
]


@pytest.mark.parametrize("url", WRONG)
def test_a_bucket_or_prefix_that_servers_read_otherwise_is_refused(url):
    with pytest.raises(InvalidInput, match=r"the store is .*; allowed: s3://BUCKET/PREFIX, .*; correct --store"):
        S3Store(url)


@pytest.mark.parametrize("prefix", ["100%25 done", "a+b", "runs/exp1", "ключ", "a//b", "x~y", "a b"])
def test_a_prefix_is_taken_as_it_is_written(prefix, moto_store):
    store = open_store(f"s3://{moto_store.bucket}/{prefix}/")
    store.put("results/k", b"x")

    assert list(store.list("results/")) == ["results/k"]
    assert (store.read("results/k"), store.exists("results/k")) == (b"x", True)
    found = moto_store._client.list_objects_v2(Bucket=moto_store.bucket)["Contents"]
    assert [item["Key"] for item in found] == [f"{prefix}/results/k"]
    store._client.close()


def test_folder_markers_of_consoles_are_no_objects(moto_store):
    for key in ("", "throughput/", "results/dataset=digits/"):
        moto_store._client.put_object(**moto_store._object(key, b""))
    moto_store.put("throughput/t4.json", b"x")

    assert list(moto_store.list("")) == ["throughput/t4.json"]
    assert not moto_store.exists("throughput")
    assert moto_store.exists("throughput/t4.json")


def test_a_key_that_only_begins_like_another_does_not_exist(moto_store):
    moto_store.put("a.json", b"")

    assert not moto_store.exists("a")
    assert not moto_store.exists("a.jso")


def test_an_object_removed_while_it_is_written_is_written_again(behind):
    store, proxy, direct = behind
    proxy.faults = {"PUT": ["PreconditionFailed"]}

    assert store.put_once("k", b"mine", "me")
    assert direct.read("k") == b"mine"


def test_a_server_that_ignores_conditions_is_refused_by_name(moto_store, s3_environment):
    with WithoutConditions(moto_store._client.meta.endpoint_url) as server:
        s3_environment(server.url)
        store = S3Store(moto_store.url, sleep=lambda _: None)
        with pytest.raises(
            InvalidInput, match=f"{moto_store.url} cannot be used: the server {server.url} let a second"
        ):
            check_conditional_writes(store)
        store._client.close()

    assert list(moto_store.list("")) == [], "the probe is removed"


@pytest.mark.parametrize("answer", ["NotImplemented", "AccessDenied"])
def test_a_server_that_refuses_conditional_writes_is_told_before_anything_is_written(answer, behind):
    store, proxy, direct = behind
    proxy.faults = {"PUT": [answer] * MANY}
    with pytest.raises(InvalidInput, match=f"is refused by the server: {answer}; "):
        check_conditional_writes(store)

    assert list(direct.list("")) == []
