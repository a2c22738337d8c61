"""Puts manifests on the server: judged first, created once, read back and compared. Existing Jobs are never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from experiment.errors import InvalidInput, NotFound
from k8s import jobs
from k8s.checks import differences
from k8s.kube import AlreadyExists, Kube
from k8s.settings import Settings
from k8s.template import Manifest

Say = Callable[[str], None]
# Parts of a live Job that the launcher, Kueue or a newer commit may have changed without making it another Job.
FREE = (".parallelism", ".suspend", "/commit", "kueue.x-k8s.io", ".env[", "annotations")


def ready(kube: Kube, settings: Settings) -> None:
    """Checks that the namespace is set up, as far as this user may look.

    Raises:
        InvalidInput: a service account is missing: Jobs would be accepted, and their pods never made.
    """
    for account in (settings.trainer_account, settings.collector_account):
        try:
            kube.get("ServiceAccount", account)
        except NotFound as error:
            raise InvalidInput(f"namespace {kube.namespace} has no service account {account}; allowed: a namespace that was set up; "
                               f"run python -m k8s.setup --namespace {kube.namespace} --apply") from error  # fmt: skip
        except InvalidInput:  # no right to read service accounts: the pods' events will tell
            continue


def judge(kube: Kube, manifests: Iterable[Manifest]) -> None:
    """Has the server check every manifest as if it were created: strict fields, admission, quota; nothing is kept.

    Raises:
        InvalidInput: the server refuses one, or would change or drop a part of it.
    """
    for manifest in manifests:
        try:
            _same(manifest, kube.create(manifest, dry_run=True), "the server would make of it")
        except AlreadyExists:
            _same(manifest, kube.get(manifest["kind"], jobs.name(manifest)), "it is there already, but")


def submit(kube: Kube, manifests: Sequence[Manifest], say: Say) -> None:
    """Creates what is not there, then reads each object back.

    Raises:
        InvalidInput: an object of that name is there with another content, or was stored otherwise than sent.
    """
    judge(kube, manifests)
    for manifest in manifests:
        kind, name = manifest["kind"], jobs.name(manifest)
        try:
            kube.create(manifest)
            say(f"created {kind} {name}")
        except AlreadyExists:
            say(f"unchanged {kind} {name}")
        _same(manifest, kube.get(kind, name), "the server holds")


def _same(manifest: Manifest, found: Manifest, what: str) -> None:
    changed = [d for d in differences(manifest, found) if not any(free in d.split(" is ")[0] for free in FREE)]
    if changed:
        raise InvalidInput(f"{manifest['kind']} {jobs.name(manifest)}: {what}: {'; '.join(changed[:5])}; "
                           "launch with the settings that made it, or cancel the run first (python -m k8s.cancel)")  # fmt: skip


def conflicts(wanted: Manifest, found: Manifest) -> list[str]:
    """How a running Job differs from the one that today's settings would make, in what matters."""
    return [d for d in differences(wanted, found) if not any(free in d.split(" is ")[0] for free in FREE)]
