"""A simulated S3 server, and the client that ``S3Store`` speaks to it with: requests take time, and faults befall them."""

# ruff: noqa: N803 - the arguments are boto3's
from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import botocore.exceptions as boto

from tests.simulation.kernel import Process

STATUS = {"SlowDown": 503, "AccessDenied": 403, "ExpiredToken": 400, "NoSuchKey": 404, "PreconditionFailed": 412}
# Requests of a process, in the world: called with process, operation, key and effect
Travel = Callable[[Process, str, str, Callable[[], Any]], Any]


class Object(NamedTuple):
    """An object of the server."""

    data: bytes
    metadata: dict[str, str]

    @property
    def etag(self) -> str:
        """As S3 has it: the MD5 in quotes."""
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'


def server_error(code: str, operation: str) -> boto.ClientError:
    """The client's error for an answer of the server."""
    answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": STATUS[code]}}
    return boto.ClientError(answer, operation)


class Server:
    """The objects. It watches that no commit ever changes."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.broken: list[str] = []  # what must never happen, and did

    def put(self, key: str, new: Object, if_none: str | None, if_match: str | None) -> str:
        there = self.objects.get(key)
        if (if_none and there) or (if_match and there and there.etag != if_match):
            raise server_error("PreconditionFailed", "PutObject")
        if if_match and not there:
            raise server_error("NoSuchKey", "PutObject")
        if there and key.endswith("epochs.parquet"):
            self.broken.append(f"the commit {key} was replaced")
        self.objects[key] = new
        return new.etag

    def get(self, key: str, operation: str) -> Object:
        if key not in self.objects:
            raise server_error("NoSuchKey", operation)
        return self.objects[key]

    def delete(self, key: str, if_match: str | None = None) -> None:
        if key.startswith(("results/", "models/", "runs/")):
            self.broken.append(f"{key} was removed")
        there = self.objects.get(key)
        if if_match and there and there.etag != if_match:
            raise server_error("PreconditionFailed", "DeleteObject")
        self.objects.pop(key, None)

    def list(self, prefix: str, after: str, most: int) -> dict[str, Any]:
        found = sorted(k for k in self.objects if k.startswith(prefix) and k > after)
        return {"IsTruncated": len(found) > most, "Contents": [{"Key": k} for k in found[:most]]}


class Client:
    """The part of boto3's client that ``S3Store`` uses, for one process."""

    def __init__(self, server: Server, process: Process, travel: Travel) -> None:
        self.meta = SimpleNamespace(endpoint_url="http://simulated")
        self._server, self._process, self._travel = server, process, travel

    def _do(self, operation: str, key: str, effect: Callable[[], Any]) -> Any:
        return self._travel(self._process, operation, key, effect)

    def put_object(
        self,
        *,
        Bucket,
        Key,
        Body,
        ChecksumSHA256,
        IfNoneMatch=None,
        IfMatch=None,
        Metadata=None,
    ) -> dict[str, Any]:
        new = Object(Body, Metadata or {})
        return {"ETag": self._do("PutObject", Key, lambda: self._server.put(Key, new, IfNoneMatch, IfMatch))}

    def get_object(self, *, Bucket, Key, ChecksumMode="") -> dict[str, Any]:
        found = self._do("GetObject", Key, lambda: self._server.get(Key, "GetObject"))
        return {"Body": io.BytesIO(found.data), "Metadata": found.metadata, "ETag": found.etag}

    def head_object(self, *, Bucket, Key) -> dict[str, Any]:
        found = self._do("HeadObject", Key, lambda: self._server.get(Key, "HeadObject"))
        return {"Metadata": found.metadata, "ETag": found.etag}

    def list_objects_v2(self, *, Bucket, Prefix, StartAfter="", MaxKeys=1000) -> dict[str, Any]:
        return self._do("ListObjectsV2", Prefix, lambda: self._server.list(Prefix, StartAfter, MaxKeys))

    def get_paginator(self, name: str) -> Any:
        def paginate(*, Bucket, Prefix) -> Iterator[dict[str, Any]]:
            yield self.list_objects_v2(Bucket=Bucket, Prefix=Prefix)

        return SimpleNamespace(paginate=paginate)

    def delete_object(self, *, Bucket, Key, IfMatch=None) -> None:
        self._do("DeleteObject", Key, lambda: self._server.delete(Key, IfMatch))
