"""Many small objects are read with one signed GET each; the client's own operation reads again what does not come whole."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import boto3
import pycurl
import pytest

from experiment.errors import InvalidInput, NotFound, Transient
from experiment.s3 import S3Store
from experiment.s3_bulk import BulkReader, is_whole, make_bulk_reader
from experiment.s3_connections import Answer, Connections
from tests.faults import Proxy

MANY = 100
BODY = b"x" * 10_000
STRANGE = "results/dataset=a b/method=c+d/e%20f&g?h#i/ä~*'(x).parquet"
pytestmark = pytest.mark.usefixtures("impatient_client")


@pytest.fixture(params=["moto_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def behind(request, s3_environment):
    """(store behind a proxy, the proxy, the same store without it)."""
    direct = request.getfixturevalue(request.param)
    with Proxy(direct._client.meta.endpoint_url) as proxy:
        s3_environment(proxy.url)
        store = S3Store(direct.url, sleep=lambda _: None)
        yield store, proxy, direct
        store._client.close()


@pytest.mark.parametrize("key", ["k", STRANGE])
def test_an_object_costs_one_request_whatever_its_name(key, behind):
    store, proxy, direct = behind
    direct.put(key, BODY)

    assert store._bulk.read([f"some/prefix/{key}"]) == [BODY]
    assert store.read_many([key]) == [BODY]
    assert proxy.seen == ["GET", "GET"]


@pytest.mark.parametrize("fault", ["SlowDown", "ExpiredToken", "cut", "lost", "gone"])
def test_what_is_not_whole_at_once_is_read_by_the_client(fault, behind):
    store, proxy, direct = behind
    direct.put("k", BODY)
    proxy.faults = {"GET": [fault]}

    assert store.read_many(["k"]) == [BODY]
    assert proxy.seen == ["GET", "GET"]


def test_of_many_objects_the_client_reads_those_that_did_not_come_and_all_keep_their_order(behind):
    store, proxy, direct = behind
    bodies = [BODY + bytes([i]) for i in range(50)]
    for i, body in enumerate(bodies):
        direct.put(f"k/{i}", body)
    proxy.faults = {"GET": [None, "gone", None, "SlowDown", "cut"]}

    assert store.read_many([f"k/{i}" for i in range(50)]) == bodies
    assert len(proxy.seen) == 50 + 3
    assert store.read_many([]) == []


def test_threads_that_read_at_once_get_what_each_asked_for(behind):
    store, proxy, direct = behind
    for i in range(64):
        direct.put(f"k/{i}", bytes([i]) * 100)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: store.read_many([f"k/{j}" for j in range(i, i + 8)]), range(0, 64, 8)))

    assert [data for batch in found for data in batch] == [bytes([i]) * 100 for i in range(64)]
    assert len(proxy.seen) == 64


def test_where_libcurl_fails_or_is_missing_the_client_reads(moto_store, monkeypatch):
    moto_store.put("k", BODY)
    monkeypatch.setattr(Connections, "get", lambda *_: (_ for _ in ()).throw(pycurl.error(2, "failed")))
    assert moto_store.read_many(["k", "k"]) == [BODY, BODY]

    monkeypatch.setitem(sys.modules, "experiment.s3_bulk", None)
    store = S3Store(moto_store.url)
    assert store._bulk is None
    assert store.read_many(["k", "k"]) == [BODY, BODY]
    store._client.close()


READ_BESIDE_TENSORFLOW = """
import sys
import {first}
import {second}
from experiment.s3 import S3Store
store = S3Store(sys.argv[1])
assert store.read_many(["k"] * 3) == [b"x"] * 3
print(store._bulk is not None)
"""


@pytest.mark.parametrize(("first", "second", "bulk"), [("pycurl", "tensorflow", True), ("tensorflow", "os", False)])
def test_beside_tensorflow_s_libcurl_reading_goes_on(first, second, bulk, moto_store, moto_server, s3_environment):
    moto_store.put("k", b"x")
    s3_environment(moto_server)
    code = READ_BESIDE_TENSORFLOW.format(first=first, second=second)
    answer = subprocess.run([sys.executable, "-c", code, moto_store.url], capture_output=True, text=True, timeout=120)

    assert answer.stdout.split() == [str(bulk)], answer.stderr


@pytest.mark.s3
def test_bytes_that_changed_on_the_way_are_found(minio_store, s3_environment):
    minio_store.put("k", BODY)
    with Proxy(minio_store._client.meta.endpoint_url) as proxy:
        s3_environment(proxy.url)
        store = S3Store(minio_store.url, sleep=lambda _: None)
        proxy.faults = {"GET": ["corrupt"]}

        assert store.read_many(["k"]) == [BODY]
        assert proxy.seen == ["GET", "GET"]
        proxy.faults = {"GET": ["corrupt"] * MANY}
        with pytest.raises(Transient, match=r"k: .*checksum"):
            store.read_many(["k"])
        store._client.close()


def test_errors_are_those_of_a_single_read(behind):
    store, proxy, _ = behind
    with pytest.raises(NotFound, match=f"{store.url}/k does not exist"):
        store.read_many(["k"])
    proxy.faults = {"GET": ["AccessDenied"] * MANY}
    with pytest.raises(InvalidInput, match="AccessDenied; give this identity the rights"):
        store.read_many(["k"])
    proxy.faults = {"GET": ["gone"] * MANY}
    with pytest.raises(Transient, match=r"k: .*launch again later"):
        store.read_many(["k"])


def digest(name, data=BODY):
    made = {"sha256": hashlib.sha256(data).digest(), "crc32": zlib.crc32(data).to_bytes(4, "big")}
    return base64.b64encode(made[name]).decode()


@pytest.mark.parametrize(
    ("headers", "whole"),
    [
        ({}, True),
        ({"content-length": "9999"}, False),
        ({"content-length": ""}, False),
        ({"x-amz-checksum-sha256": digest("sha256")}, True),
        ({"x-amz-checksum-sha256": digest("sha256", b"y")}, False),
        ({"x-amz-checksum-crc32": digest("crc32")}, True),
        ({"x-amz-checksum-crc32": digest("crc32", b"y")}, False),
        ({"x-amz-checksum-sha256": digest("sha256"), "x-amz-checksum-crc32": digest("crc32", b"y")}, False),
        ({"x-amz-checksum-sha256": digest("sha256", b"y") + "-2"}, True),  # of parts: the client passes it over too
        ({"x-amz-checksum-crc64nvme": "AAAA"}, True),  # which it cannot compute either
    ],
)
def test_length_and_checksums_decide_what_is_whole(headers, whole):
    assert is_whole(BODY, {"content-length": "10000", **headers}) == whole


def see_requests(reader, monkeypatch, answer):
    """The requests that a reader will send from now on, each answered so."""
    seen = []

    def get(_, requests):
        seen.extend(requests)
        return [answer] * len(requests)

    monkeypatch.setattr(Connections, "get", get)
    return seen


@pytest.mark.parametrize(
    ("style", "place"),
    [("path", "https://s3.eu-west-3.amazonaws.com/bucket/"), ("auto", "https://bucket.s3.eu-west-3.amazonaws.com/")],
)
def test_place_region_and_identity_are_the_client_s(style, place, s3_environment, monkeypatch, tmp_path):
    s3_environment("")
    (tmp_path / "config").write_text(f"[profile mine]\nregion = eu-west-3\ns3 =\n  addressing_style = {style}\n")
    given = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "token"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)
    store = S3Store("s3://bucket/p")
    seen = see_requests(store._bulk, monkeypatch, Answer(403, {"content-length": "0"}, b""))
    store._client.close()

    assert store._bulk.read(["p/a=b"]) == [None]
    assert seen[0].url == f"{place}p/a%3Db"
    assert "/eu-west-3/s3/aws4_request" in str(seen[0].headers["Authorization"])
    assert seen[0].headers["X-Amz-Security-Token"] == "token"
    assert seen[0].headers["x-amz-checksum-mode"] == "ENABLED"


def test_credentials_that_were_renewed_meanwhile_are_used(moto_store, monkeypatch):
    reader = BulkReader(moto_store._client, moto_store.bucket)
    credentials = moto_store._client._request_signer._credentials
    credentials.access_key = "renewed"
    seen = see_requests(reader, monkeypatch, None)

    assert reader.read(["k"]) == [None]
    assert "Credential=renewed/" in str(seen[0].headers["Authorization"])


@pytest.mark.parametrize("client", [None, object()])
def test_a_client_of_another_library_is_asked_itself(client):
    assert make_bulk_reader(client, "bucket") is None


def test_without_credentials_the_client_says_so(s3_environment, moto_server, monkeypatch):
    s3_environment(moto_server)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    store = S3Store("s3://bucket/p", sleep=lambda _: None)
    with pytest.raises(InvalidInput, match="correct the credentials"):
        store.read_many(["k"])
    store._client.close()
