"""What the Kubernetes client passes over in a kubeconfig: the proxy through which a cluster is reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
import yaml
from kubernetes.client import Configuration

from experiment.urls import names_server


def set_proxy(configuration: Configuration, files: Iterable[str], context: str) -> None:
    """Has the client use the ``proxy-url`` of a context's cluster. As with kubectl it outranks the environment, NO_PROXY too.

    Raises:
        ValueError: it is not a proxy that the client can use.
    """
    documents = [yaml.safe_load(p.read_text()) for f in files if (p := Path(f).expanduser()).is_file()]
    proxy = find_proxy([d for d in documents if isinstance(d, dict)], context)
    if not proxy:
        return
    parts = urlsplit(proxy)
    if not names_server(proxy):
        shown = proxy.replace(f"{parts.username}:{parts.password}@", "")
        raise ValueError(f"its proxy-url is {shown!r}, not http(s)://HOST[:PORT]")
    configuration.proxy, configuration.no_proxy = proxy, None
    if parts.username:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=user)


def find_proxy(documents: Sequence[dict[str, Any]], context: str) -> str:
    """Returns the ``proxy-url`` of the cluster of a context, or of the current one; empty without it.

    Args:
        documents: of the files of KUBECONFIG: of two entries with one name the first counts.
    """
    wanted = context or next((d["current-context"] for d in documents if d.get("current-context")), "")
    cluster = _find_entry(documents, "context", wanted).get("cluster", "")
    return str(_find_entry(documents, "cluster", cluster).get("proxy-url") or "")


def _find_entry(documents: Iterable[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    entries = (e for d in documents for e in d.get(f"{kind}s") or () if e.get("name") == name)
    found = next(entries, None)
    return (found or {}).get(kind) or {}
