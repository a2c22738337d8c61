"""Connects to the cluster of a kubeconfig or of this pod. A fault of the kubeconfig is an error of one line."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import kubernetes.client
import kubernetes.config
import yaml

from experiment.console import say_beside
from experiment.errors import ExperimentError, InvalidInput, Transient, describe_error
from experiment.outage import OUTAGE_SECONDS, Patience
from experiment.urls import names_server
from k8s.cluster.kube import Kube
from k8s.cluster.kubeconfig import set_proxy
from k8s.cluster.refusals import NO_CREDENTIALS, LoggedOut
from k8s.cluster.transport import TIMEOUT, Transport
from k8s.manifests.settings import Settings

DEFAULT_FILE = "~/.kube/config"
ADVICE = "allowed: a context that kubectl can use; set KUBECONFIG or --context, or train here with --executor local"
# The client raises these where a file is not a kubeconfig, lacks a part, or names a file that cannot be used.
UNUSABLE = (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, IndexError)
QUICK_TIMEOUT = (3.0, 10.0)  # for verbs that can answer without the cluster
ANSWER_SECONDS = 30.0
QUIET_SECONDS = 4.0  # a busy server, or a balancer that changes servers, is not worth a line


def connect_cluster(
    context: str,
    namespace: str,
    *,
    answer_seconds: float = ANSWER_SECONDS,
    outage_seconds: float = OUTAGE_SECONDS,
    timeout: tuple[float, float] = TIMEOUT,
) -> Kube:
    """Returns the cluster of a kubeconfig context, or the one that this pod runs in.

    Args:
        answer_seconds: how long its first answer is waited for; a refusal before it is raised at once.
        outage_seconds: how long an outage or an expired login is waited out after it has answered.

    Raises:
        InvalidInput: there is no kubeconfig, it has no such context, or it gives no credentials.
    """

    def wait(seconds: float, *errors: type[ExperimentError]) -> Patience:
        what, quiet = "the API server", QUIET_SECONDS
        return Patience(seconds=seconds, say=say_beside, what=what, waits_for=errors, quiet_seconds=quiet)

    first, later = wait(answer_seconds, Transient), wait(outage_seconds, Transient, LoggedOut)
    transport = Transport(lambda: _log_in(context), first=first, later=later, timeout=timeout)
    return Kube(transport, namespace)


def connect_as_set(settings: Settings, *, quick: bool = False) -> Kube:
    """Returns the cluster of the settings; ``quick``: for verbs that can answer without it. Raises InvalidInput."""
    return connect_cluster(
        settings.context,
        settings.namespace,
        answer_seconds=settings.answer_seconds,
        outage_seconds=settings.outage_seconds,
        timeout=QUICK_TIMEOUT if quick else TIMEOUT,
    )


def _log_in(context: str) -> kubernetes.client.ApiClient:
    """Returns a client with the credentials that the kubeconfig, its plugin or this pod give now."""
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
    configuration.retries = False  # an outage is waited out by the suite, within its own limits
    renew = configuration.refresh_api_key_hook
    configuration.refresh_api_key_hook = (lambda own: _renew_token(renew, own)) if renew else None
    return kubernetes.client.ApiClient(configuration)


def _renew_token(renew: Callable[[object], None], configuration: kubernetes.client.Configuration) -> None:
    """Has the client renew an expired token before a request.

    Raises:
        LoggedOut: it cannot; the plugin's own words are in the text.
    """
    with _client_messages() as messages:
        try:
            renew(configuration)
        except (*UNUSABLE, kubernetes.config.ConfigException) as error:
            raise LoggedOut(f"the credentials cannot be renewed ({describe_error(error)}); {NO_CREDENTIALS}") from error
    if messages:
        raise LoggedOut(f"the credentials cannot be renewed ({messages[-1]}); {NO_CREDENTIALS}")


def _named_files(given: str) -> str | None:
    """Returns the files that KUBECONFIG names, without empty ones beside others: kubectl passes over these too."""
    full = [name for name in given.split(os.pathsep) if not Path(name).is_file() or Path(name).stat().st_size]
    return os.pathsep.join(full) or given or None


def _load_kubeconfig(context: str, configuration: kubernetes.client.Configuration) -> None:
    files = _named_files(os.environ.get("KUBECONFIG", ""))  # the client looks once, at its import
    with _client_messages() as messages:
        try:
            kubernetes.config.load_kube_config(
                config_file=files, context=context or None, client_configuration=configuration
            )
            set_proxy(configuration, (files or DEFAULT_FILE).split(os.pathsep), context)
        except UNUSABLE as error:
            raise _unusable(context, error) from error
    if messages and not configuration.api_key and not configuration.cert_file:
        raise LoggedOut(f"the kubeconfig's user gets no credentials ({messages[-1]}); {NO_CREDENTIALS}")


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
