"""Connects to the cluster of a kubeconfig or of this pod. A fault of the kubeconfig is an error of one line."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import kubernetes.client
import kubernetes.config
import yaml

from experiment.errors import InvalidInput
from experiment.urls import names_server
from k8s.cluster.kube import Kube
from k8s.cluster.refusals import NO_CREDENTIALS

ADVICE = "allowed: a context that kubectl can use; set KUBECONFIG or --context, or train here with --executor local"
# The client raises these where a file is not a kubeconfig, lacks a part, or names a file that cannot be used.
UNUSABLE = (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, IndexError)
QUICK_ATTEMPTS, QUICK_TIMEOUT = 2, (3.0, 10.0)  # for verbs that can answer without the cluster


def connect_cluster(context: str, namespace: str, *, quick: bool = False) -> Kube:
    """Returns the cluster of a kubeconfig context, or the one that this pod runs in.

    Args:
        quick: give up soon where the server does not answer.

    Raises:
        InvalidInput: there is no kubeconfig, it has no such context, or it gives no credentials.
    """
    configuration = kubernetes.client.Configuration()
    try:
        _load_kubeconfig(context, configuration)
    except kubernetes.config.ConfigException as error:
        try:
            kubernetes.config.load_incluster_config(client_configuration=configuration)
        except kubernetes.config.ConfigException:
            raise _unusable(context, error) from error
    try:
        _check_server(configuration)
    except UNUSABLE as error:
        raise _unusable(context, error) from error
    configuration.retries = False  # repeated by Kube, with the suite's own limits
    api = kubernetes.client.ApiClient(configuration)
    if quick:
        return Kube(api, namespace, attempts=QUICK_ATTEMPTS, timeout=QUICK_TIMEOUT)
    return Kube(api, namespace)


def _named_files(given: str) -> str | None:
    """Returns the files that KUBECONFIG names, without empty ones beside others: kubectl passes over these too."""
    full = [name for name in given.split(os.pathsep) if not Path(name).is_file() or Path(name).stat().st_size]
    return os.pathsep.join(full) or given or None


def _load_kubeconfig(context: str, configuration: kubernetes.client.Configuration) -> None:
    with _client_messages() as messages:
        try:
            kubernetes.config.load_kube_config(
                config_file=_named_files(os.environ.get("KUBECONFIG", "")),  # the client looks once, at its import
                context=context or None,
                client_configuration=configuration,
            )
        except UNUSABLE as error:
            raise _unusable(context, error) from error
    if messages and not configuration.api_key and not configuration.cert_file:
        raise InvalidInput(f"the kubeconfig's user gets no credentials ({messages[-1]}); {NO_CREDENTIALS}")


def _check_server(configuration: kubernetes.client.Configuration) -> None:
    """Checks the server's URL and the certificates, whose faults the client would report at its first request as a bad network."""
    if not names_server(configuration.host):
        raise ValueError(f"its server is {configuration.host!r}, not https://HOST[:PORT]")
    for value in configuration.api_key.values():
        if not value.isprintable():
            raise ValueError("its user's token has characters that cannot be sent")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, path in (
        ("certificate-authority", configuration.ssl_ca_cert),
        ("client-certificate", configuration.cert_file),
    ):
        try:
            if path and name == "certificate-authority":
                tls.load_verify_locations(path)
            elif path:
                tls.load_cert_chain(path, configuration.key_file)
        except OSError as error:  # of ssl too
            raise ValueError(f"its {name} cannot be used: {error}") from error


@contextlib.contextmanager
def _client_messages() -> Iterator[list[str]]:
    """Yields what the client logs meanwhile: it only logs that a credential plugin failed."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(" ".join(record.getMessage().split())[:300])  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield messages
    finally:
        root.removeHandler(handler)


def _unusable(context: str, error: Exception) -> InvalidInput:
    what = f"the context {context!r}" if context else "a current context"
    cause = " ".join(str(error).split())[:300] or type(error).__name__
    return InvalidInput(f"the kubeconfig does not give {what} ({cause}); {ADVICE}")
