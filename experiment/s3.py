"""A store under ``s3://BUCKET/PREFIX``, on AWS or on any server that honours If-None-Match."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import boto3
import botocore.exceptions as boto
from botocore.config import Config

from experiment.claim import claim_file, machine_claims
from experiment.errors import ExperimentError, InvalidInput, NotFound, Transient, refuse
from experiment.retry import retry_transient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
ATTEMPTS = 5  # of one whole operation of ours, each with the client's own 3 tries inside
_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
_REFUSED = {
    "AccessDenied": "give this identity the rights on the bucket that README names",
    "403": "give this identity the rights on the bucket that README names",
    "NoSuchBucket": "create the bucket or correct --store",
    "InvalidAccessKeyId": "correct the credentials",
    "SignatureDoesNotMatch": "correct the credentials",
    "ExpiredToken": "renew the credentials",
    "InvalidBucketName": "correct --store",
    "PermanentRedirect": "set AWS_REGION to the bucket's region",
    "NotImplemented": "use an S3 server that honours If-None-Match",
}


def make_client() -> S3Client:
    """Returns an S3 client with retries and time limits of this suite, and the user's endpoint and credentials."""
    own_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return boto3.client(
        "s3",
        region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=32,
            s3={
                "addressing_style": "path" if own_endpoint else "auto"
            },  # few servers but AWS serve a host name per bucket
        ),
    )


class S3Store:
    """A store under one prefix of a bucket."""

    def __init__(self, url: str, client: S3Client | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        self.bucket, self._prefix = parts.netloc, parts.path.strip("/")
        if not self.bucket or parts.query or parts.fragment:
            raise refuse("the store", url, "s3://BUCKET/PREFIX", "correct --store")
        self.url = f"s3://{self.bucket}/{self._prefix}".rstrip("/")
        self._client = client or make_client()
        self._sleep = sleep

    def read(self, key: str) -> bytes:
        def get() -> bytes:
            answer = self._client.get_object(**self._at(key), ChecksumMode="ENABLED")
            return answer["Body"].read()  # the client compares length and checksum only at the end

        return self._retry(key, get)

    def put_once(self, key: str, data: bytes, attempt: str) -> bool:
        def put() -> bool:
            try:
                self._client.put_object(**self._object(key, data), IfNoneMatch="*", Metadata={"attempt": attempt})
            except boto.ClientError as error:
                if _code(error) not in ("PreconditionFailed", "412"):
                    raise
                # The object may be ours: the answer to our own first try may have been lost.
                return self._client.head_object(**self._at(key))["Metadata"].get("attempt") == attempt
            return True

        return self._retry(key, put)

    def put(self, key: str, data: bytes) -> None:
        self._retry(key, lambda: self._client.put_object(**self._object(key, data)))

    def exists(self, key: str) -> bool:
        try:
            self._retry(key, lambda: self._client.head_object(**self._at(key)))
        except NotFound:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        cut = len(self._key(""))
        pages = self._client.get_paginator("list_objects_v2")

        def fetch() -> list[str]:
            found = pages.paginate(Bucket=self.bucket, Prefix=self._key(prefix))
            return [item["Key"][cut:] for page in found for item in page.get("Contents", ())]

        yield from self._retry(prefix, fetch)

    def delete(self, key: str) -> None:
        self._retry(key, lambda: self._client.delete_object(**self._at(key)))

    def local_path(self, key: str) -> Path | None:
        return None

    @contextlib.contextmanager
    def claim(self, cell_id: str) -> Iterator[bool]:
        # Machines hold nothing against one another: put_once decides, and the second attempt's work is dropped.
        with claim_file(machine_claims(self.url) / f"{cell_id}.lock") as held:
            yield held

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self._key(key)}

    def _object(self, key: str, data: bytes) -> dict[str, Any]:
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return {**self._at(key), "Body": data, "ChecksumSHA256": checksum}

    def _retry(self, key: str, operation: Callable[[], T]) -> T:
        """Returns the operation's result. A retry repeats request, whole body and checks."""

        def translated() -> T:
            try:
                return operation()
            except (boto.ClientError, boto.BotoCoreError, boto.HTTPClientError) as error:
                raise translate_error(error, f"{self.url}/{key}") from error

        return retry_transient(translated, attempts=ATTEMPTS, sleep=self._sleep)


def _code(error: boto.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def translate_error(error: Exception, place: str) -> ExperimentError:
    """Returns the suite's error for an error of the S3 client."""
    if isinstance(error, boto.ClientError):
        code = _code(error)
        if code in _ABSENT:
            return NotFound(f"{place} does not exist; check the store and the run")
        if code in _REFUSED:
            return InvalidInput(f"{place} is refused by the server: {code}; {_REFUSED[code]}")
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ParamValidationError)):
        return InvalidInput(f"{place} cannot be used: {error}; correct the credentials or --store")
    return Transient(f"{place}: {error}; the server failed {ATTEMPTS} times, launch again later")
