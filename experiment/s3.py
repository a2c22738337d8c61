"""A store under ``s3://BUCKET/PREFIX``, on AWS or on any server that honours If-None-Match."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import botocore.exceptions as boto
from botocore.parsers import ResponseParserError

from experiment.errors import NotFound, Transient, refuse
from experiment.leaps import leap_pages
from experiment.locks import Lock, lock_first, machine_locks
from experiment.retry import retry_transient
from experiment.s3_client import MOST_CONNECTIONS, make_client
from experiment.s3_errors import ATTEMPTS, CLIENT_ERRORS, error_code, translate_error

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

    from experiment.s3_bulk import BulkReader

T = TypeVar("T")
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PREFIX = re.compile(r"[^?#\x00-\x1f\x7f]*")


class S3Store:
    """A store under one prefix of a bucket."""

    def __init__(self, url: str, client: S3Client | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.bucket, _, prefix = url.partition("://")[2].partition("/")
        self._prefix = prefix.strip("/")
        good = BUCKET.fullmatch(self.bucket) and PREFIX.fullmatch(self._prefix)
        if not good or {".", ".."} & set(self._prefix.split("/")):
            allowed = (
                "s3://BUCKET/PREFIX, the bucket of letters, digits, '.', '_' and '-', the prefix without ?, #, . and .."
            )
            raise refuse("the store", url, allowed, "correct --store")
        self.url = f"s3://{self.bucket}/{self._prefix}".rstrip("/")
        self._sleep = sleep
        self._client = client or self._try(lambda: make_client(self.url))
        self.server = f"the server {self._client.meta.endpoint_url}"

    def read(self, key: str) -> bytes:
        def get() -> bytes:
            answer = self._client.get_object(**self._at(key), ChecksumMode="ENABLED")
            return answer["Body"].read()  # the client compares length and checksum only at the end

        return self._retry(key, get)

    def read_many(self, keys: Sequence[str]) -> list[bytes]:
        found = self._bulk.read([self._key(key) for key in keys]) if self._bulk else [None] * len(keys)
        with ThreadPoolExecutor(MOST_CONNECTIONS) as pool:
            rest = pool.map(self.read, [key for key, data in zip(keys, found, strict=True) if data is None])
            return [next(rest) if data is None else data for data in found]

    @functools.cached_property
    def _bulk(self) -> BulkReader | None:
        # TensorFlow's library shows all others a libcurl of its own, which pycurl would be bound to.
        if "tensorflow" in sys.modules and "pycurl" not in sys.modules:
            return None
        # Only readers of many objects need pycurl. It may be missing, or built for another libcurl.
        try:
            from experiment.s3_bulk import make_bulk_reader
        except ImportError:
            return None
        return make_bulk_reader(self._client, self.bucket)

    def put_once(self, key: str, data: bytes, attempt: str) -> bool:
        def put() -> bool:
            try:
                self._client.put_object(**self._object(key, data), IfNoneMatch="*", Metadata={"attempt": attempt})
            except boto.ClientError as error:
                if error_code(error) not in ("PreconditionFailed", "412"):
                    raise
                return self._attempt_of(key) == attempt  # the answer to our own first try may have been lost
            return True

        return self._retry(key, put)

    def _attempt_of(self, key: str) -> str | None:
        try:
            return self._client.head_object(**self._at(key))["Metadata"].get("attempt")
        except boto.ClientError as error:
            place = f"{self.url}/{key}"
            if isinstance(translate_error(error, place), NotFound):
                raise Transient(f"{place} was removed while it was written; launch again later") from error
            raise

    def put(self, key: str, data: bytes) -> None:
        self._retry(key, lambda: self._client.put_object(**self._object(key, data)))

    def exists(self, key: str) -> bool:
        # The key itself is the first key that begins with it. A HEAD request would not tell a missing bucket or right.
        at: dict[str, Any] = {"Bucket": self.bucket, "Prefix": self._key(key), "MaxKeys": 1}
        found = self._retry(key, lambda: _keys_of(self._client.list_objects_v2(**at)))
        return self._key(key) in found

    def list(self, prefix: str) -> Iterator[str]:
        cut = len(self._key(""))
        pages = self._client.get_paginator("list_objects_v2")

        def fetch() -> list[str]:
            found = pages.paginate(Bucket=self.bucket, Prefix=self._key(prefix))
            return sorted(name[cut:] for page in found for name in _keys_of(page))

        # Consoles and other tools mark a folder by an empty object whose key ends with a slash.
        yield from (key for key in self._retry(prefix, fetch) if key and not key.endswith("/"))

    def find(self, prefixes: Iterable[str]) -> Iterator[str]:
        cut = len(self._key(""))

        def page(common: str, after: str, size: int) -> tuple[list[str], bool]:
            at: dict[str, Any] = {"Bucket": self.bucket, "Prefix": self._key(common), "MaxKeys": size}
            if after:
                at["StartAfter"] = self._key(after)

            def fetch() -> tuple[list[str], bool]:
                answer = self._client.list_objects_v2(**at)
                return sorted(name[cut:] for name in _keys_of(answer)), answer["IsTruncated"]

            return self._retry(common, fetch)

        yield from (key for key in leap_pages(prefixes, page) if key and not key.endswith("/"))

    def delete(self, key: str) -> None:
        self._retry(key, lambda: self._client.delete_object(**self._at(key)))

    def local_path(self, key: str) -> Path | None:
        return None

    @contextlib.contextmanager
    def lock(self, cell_id: str) -> Iterator[Lock | None]:
        with lock_first(machine_locks(self.url) / f"{cell_id}.lock") as lock:
            yield lock

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
            except CLIENT_ERRORS as error:
                raise translate_error(error, f"{self.url}/{key}") from error

        return self._try(translated)

    def _try(self, operation: Callable[[], T]) -> T:
        return retry_transient(operation, attempts=ATTEMPTS, sleep=self._sleep)


def _keys_of(page: ListObjectsV2OutputTypeDef) -> list[str]:
    if "IsTruncated" not in page:  # every listing says whether it is whole
        raise ResponseParserError("the answer is not a listing of a bucket")
    found = [item["Key"] for item in page.get("Contents", ())]
    if page["IsTruncated"] and not found:
        raise ResponseParserError("the listing of the bucket says that there is more, and gives nothing")
    return found
