"""Puts manifests on the server: checked first, created once, read back and compared. Existing Jobs are never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from experiment.errors import InvalidInput, NotFound
from experiment.sealed import digest_json
from k8s.cluster.kube import Kube
from k8s.cluster.refusals import AlreadyExists
from k8s.manifests import jobs, names
from k8s.manifests.differences import Difference, find_differences
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings

Say = Callable[[str], None]


def check_namespace(kube: Kube, settings: Settings) -> None:
    """Checks that the namespace has the service accounts, as far as this user may look.

    Raises:
        InvalidInput: a service account is missing. The server would accept Jobs and never create their pods.
    """
    for account in (settings.trainer_account, settings.collector_account):
        try:
            kube.get("ServiceAccount", account)
        except NotFound as error:
            raise InvalidInput(
                f"namespace {kube.namespace} has no service account {account}; allowed: a namespace that was set up; "
                f"run python -m k8s.setup --namespace {kube.namespace} --apply"
            ) from error
        except InvalidInput:  # no right to read service accounts: the pods' events will tell
            continue


def check_on_server(kube: Kube, manifests: Iterable[Manifest], say: Say) -> None:
    """Has the server check every manifest as if it were created: strict fields, admission, quota. Nothing is kept.

    What admission changes without changing the work is said: a mirrored image, a toleration, a certificate.

    Raises:
        InvalidInput: the server refuses one, or would change or drop a part of it.
    """
    for manifest in manifests:
        try:
            for change in _compare(manifest, kube.create(manifest, dry_run=True), "the server would make of it"):
                say(f"note: the cluster changes {manifest['kind']} {jobs.object_name(manifest)}: {change}")
        except AlreadyExists:
            there = kube.get(manifest["kind"], jobs.object_name(manifest))
            _compare(manifest, there, "it already exists, but")


def create_manifests(kube: Kube, manifests: Sequence[Manifest], say: Say) -> None:
    """Creates the objects that are not there, then reads each object back. ``check_on_server`` comes first.

    Raises:
        InvalidInput: an object of that name is there with another content, or was stored otherwise than sent.
    """
    for manifest in manifests:
        kind, name = manifest["kind"], jobs.object_name(manifest)
        try:
            kube.create(manifest)
            say(f"created {kind} {name}")
        except AlreadyExists:
            say(f"unchanged {kind} {name}")
        _compare(manifest, kube.get(kind, name), "the server holds")


def _compare(manifest: Manifest, found: Manifest, what: str) -> list[Difference]:
    changed = job_differences(manifest, found)
    grave = [str(d) for d in changed if not d.harmless]
    if grave:
        raise InvalidInput(
            f"{manifest['kind']} {jobs.object_name(manifest)}: {what}: {'; '.join(grave[:5])}; "
            "launch with the settings that made it, or cancel the run first (python -m k8s.cancel)"
        )
    return changed


def job_differences(wanted: Manifest, found: Manifest) -> list[Difference]:
    """Returns how a Job differs, in what decides its work, from the one that these settings would make."""
    return list(find_differences(_essence(wanted), _essence(found)))


def setting_differences(wanted: Manifest, found: Manifest) -> list[Difference]:
    """Returns how an active Job differs from the one that these settings would make, whatever admission made of it."""
    changed = job_differences(wanted, found)
    as_sent = jobs.annotation_of(found, names.SENT) == digest_json(_essence(wanted)["spec"])
    return [d for d in changed if not (as_sent and d.path.startswith("spec."))]


def sign_manifest(job: Manifest) -> Manifest:
    """Returns a Job with a digest of its content, by which a later launch knows its own settings again."""
    annotations = {**job["metadata"]["annotations"], names.SENT: digest_json(_essence(job)["spec"])}
    return {**job, "metadata": {**job["metadata"], "annotations": annotations}}


def _essence(job: Manifest) -> Manifest:
    """Returns a Job without what may change (parallelism, what follows from it, suspension, cost) and the commit of its launcher."""
    spec, template = job["spec"], job["spec"]["template"]
    pod = dict(template["spec"])
    if jobs.label_of(job, names.QUEUE):
        pod.pop("tolerations", None)  # Kueue adds those of the flavour of nodes that it chose
    for kind in ("initContainers", "containers"):
        pod[kind] = [_without_commit(c) for c in pod.get(kind, ())]
    own = {k: v for k, v in spec.items() if k not in ("parallelism", "suspend")}
    own["template"] = {"metadata": _without_commit_label(template["metadata"]), "spec": pod}
    metadata = _without_commit_label(job["metadata"])
    changing = (names.QUEUE_MINIMUM, names.PRICE, names.CEILING)
    annotations = {k: v for k, v in metadata.get("annotations", {}).items() if k not in changing}
    return {**job, "metadata": {**metadata, "annotations": annotations}, "spec": own}


def _without_commit(container: Manifest) -> Manifest:
    return {**container, "env": [e for e in container.get("env", ()) if e["name"] != "GIT_COMMIT"]}


def _without_commit_label(metadata: Manifest) -> Manifest:
    return {**metadata, "labels": {k: v for k, v in metadata.get("labels", {}).items() if k != names.COMMIT}}
