"""Many small objects are read with one signed GET each; whatever is not at once whole is left to the client's own operation."""

from __future__ import annotations

import base64
import hashlib
import zlib

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from experiment.errors import InvalidInput, NotFound, Transient
from experiment.s3 import S3Store
from experiment.s3_bulk import BulkReader, is_whole, make_bulk_reader
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

    assert store._bulk.read(f"some/prefix/{key}") == BODY
    assert store.read_in_bulk(key) == BODY
    assert proxy.seen == ["GET", "GET"]


@pytest.mark.parametrize("fault", ["SlowDown", "ExpiredToken", "cut", "lost", "gone"])
def test_what_is_not_whole_at_once_is_read_by_the_client(fault, behind):
    store, proxy, direct = behind
    direct.put("k", BODY)
    proxy.faults = {"GET": [fault]}

    assert store.read_in_bulk("k") == BODY
    assert proxy.seen == ["GET", "GET"]


@pytest.mark.s3
def test_bytes_that_changed_on_the_way_are_found(minio_store, s3_environment):
    minio_store.put("k", BODY)
    with Proxy(minio_store._client.meta.endpoint_url) as proxy:
        s3_environment(proxy.url)
        store = S3Store(minio_store.url, sleep=lambda _: None)
        proxy.faults = {"GET": ["corrupt"]}

        assert store.read_in_bulk("k") == BODY
        assert proxy.seen == ["GET", "GET"]
        proxy.faults = {"GET": ["corrupt"] * MANY}
        with pytest.raises(Transient, match=r"k: .*checksum"):
            store.read_in_bulk("k")
        store._client.close()


def test_errors_are_those_of_a_single_read(behind):
    store, proxy, _ = behind
    with pytest.raises(NotFound, match=f"{store.url}/k does not exist"):
        store.read_in_bulk("k")
    proxy.faults = {"GET": ["AccessDenied"] * MANY}
    with pytest.raises(InvalidInput, match="AccessDenied; give this identity the rights"):
        store.read_in_bulk("k")
    proxy.faults = {"GET": ["gone"] * MANY}
    with pytest.raises(Transient, match=r"k: .*launch again later"):
        store.read_in_bulk("k")


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
    store, seen = S3Store("s3://bucket/p"), []

    def answer(request):
        seen.append(request)
        return AWSResponse(request.url, 403, {}, None)

    monkeypatch.setattr(store._bulk._session, "send", answer)
    monkeypatch.setattr(AWSResponse, "content", b"")
    store._client.close()

    assert store._bulk.read("p/a=b") is None
    assert seen[0].url == f"{place}p/a%3Db"
    assert "/eu-west-3/s3/aws4_request" in str(seen[0].headers["Authorization"])
    assert seen[0].headers["X-Amz-Security-Token"] == "token"
    assert seen[0].headers["x-amz-checksum-mode"] == "ENABLED"


def test_credentials_that_were_renewed_meanwhile_are_used(moto_store):
    reader = BulkReader(moto_store._client, moto_store.bucket)
    credentials = moto_store._client._request_signer._credentials
    credentials.access_key = "renewed"
    seen = []
    reader._session = type("Session", (), {"send": lambda _, request: seen.append(request)})()

    assert reader.read("k") is None
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
        store.read_in_bulk("k")
    store._client.close()
