"""Judges S3 requests by policies, as AWS documents it, in front of a server that lets everything through.

MinIO judges the policies of the roles itself; this serves for the bucket's policy, whose conditions only AWS knows, and for
machines without MinIO. An access key is the name of a role.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests import faults

Policy = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: what is to be done, to what, and the values of the condition keys that it has."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def understand(method: str, target: str, headers: Mapping[str, str]) -> Request:
    """What a request means, with the bucket in the path."""
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    where = f"arn:aws:s3:::{bucket}/{key}".rstrip("/")
    if not key:
        return Request(action="s3:ListBucket", resource=where, context={"s3:prefix": query.get("prefix", [""])[0]})
    if method == "PUT":
        context = {"s3:ObjectCreationOperation": "false" if "uploadId" in query else "true"}
        condition = headers.get("If-None-Match")
        return Request(
            action="s3:PutObject",
            resource=where,
            context=context | ({"s3:if-none-match": condition} if condition else {}),
        )
    return Request(action={"DELETE": "s3:DeleteObject"}.get(method, "s3:GetObject"), resource=where)


def is_allowed(policies: Iterable[Policy], request: Request) -> bool:
    """Whether a statement allows the request and none denies it."""
    effects = {s["Effect"] for policy in policies for s in policy["Statement"] if _applies(s, request)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    actions, resources = (_texts(statement[name]) for name in ("Action", "Resource"))
    return (
        any(fnmatch.fnmatchcase(request.action, a) for a in actions)
        and any(fnmatch.fnmatchcase(request.resource, r) for r in resources)
        and all(
            _holds(operator, key, _texts(wanted), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    value = context.get(key)
    if operator == "Null":
        return (value is None) == (wanted == ["true"])
    compare = {"Bool": lambda v, w: v == w, "StringLike": fnmatch.fnmatchcase}[operator]
    return value is not None and any(compare(value, w) for w in wanted)


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


class Judge(faults.Proxy):
    """An S3 server that obeys the policies of a bucket and of roles; the access key ``root`` may do what the bucket allows."""

    def __init__(self, target: str, bucket: Policy, roles: Mapping[str, Policy]) -> None:
        super().__init__(target)
        self.RequestHandlerClass = _Handler
        self.bucket, self.roles = bucket, roles

    def judge(self, method: str, target: str, headers: Mapping[str, str]) -> bool:
        """Whether the request may pass."""
        who = re.search(r"Credential=([^/]+)/", headers.get("Authorization", ""))
        everything = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        own = self.roles.get(who[1], everything) if who else {"Statement": []}
        return is_allowed([self.bucket, own], understand(method, target, headers))


class _Handler(faults._Handler):
    server: Judge

    def _judged(self) -> None:
        if self.server.judge(self.command, self.path, self.headers):
            self._serve()
            return
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(403, {}, b"<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>")

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _judged  # noqa: N815, http.server's own names
