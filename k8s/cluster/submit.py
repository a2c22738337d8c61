"""Puts manifests on the server: judged first, created once, read back and compared. Existing Jobs are never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from experiment.errors import InvalidInput, NotFound
from k8s.cluster import jobs
from k8s.cluster.kube import Kube
from k8s.cluster.refusals import AlreadyExists
from k8s.manifests import names
from k8s.manifests.checks import differences
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings

Say = Callable[[str], None]


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
    """Creates what is not there, then reads each object back. Whoever calls it has had them judged.

    Raises:
        InvalidInput: an object of that name is there with another content, or was stored otherwise than sent.
    """
    for manifest in manifests:
        kind, name = manifest["kind"], jobs.name(manifest)
        try:
            kube.create(manifest)
            say(f"created {kind} {name}")
        except AlreadyExists:
            say(f"unchanged {kind} {name}")
        _same(manifest, kube.get(kind, name), "the server holds")


def _same(manifest: Manifest, found: Manifest, what: str) -> None:
    changed = conflicts(manifest, found)
    if changed:
        raise InvalidInput(f"{manifest['kind']} {jobs.name(manifest)}: {what}: {'; '.join(changed[:5])}; "
                           "launch with the settings that made it, or cancel the run first (python -m k8s.cancel)")  # fmt: skip


def conflicts(wanted: Manifest, found: Manifest) -> list[str]:
    """How a Job differs from the one that these settings would make, in what decides its work."""
    return differences(_essence(wanted), _essence(found))


def _essence(job: Manifest) -> Manifest:
    """A Job without what may change while it runs (parallelism, suspension) and without the commit of its launcher."""
    spec, template = job["spec"], job["spec"]["template"]
    pod = dict(template["spec"])
    if jobs.label(job, names.QUEUE):
        pod.pop("tolerations", None)  # Kueue adds those of the flavour of nodes that it chose
    for kind in ("initContainers", "containers"):
        pod[kind] = [
            {**c, "env": [e for e in c.get("env", ()) if e["name"] != "GIT_COMMIT"]} for c in pod.get(kind, ())
        ]
    return {
        **job,
        "metadata": _bare(job["metadata"]),
        "spec": {k: v for k, v in spec.items() if k not in ("parallelism", "suspend")}
        | {"template": {"metadata": _bare(template["metadata"]), "spec": pod}},
    }


def _bare(metadata: Manifest) -> Manifest:
    return {**metadata, "labels": {k: v for k, v in metadata.get("labels", {}).items() if k != names.COMMIT}}
