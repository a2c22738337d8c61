"""``python -m k8s.setup``: prints what a namespace needs before a launch, or applies it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiment.errors import ExperimentError, NotFound
from experiment.program import CommandLine, run_program
from k8s import verbs
from k8s.manifests import namespace, sources
from k8s.manifests.names import Manifest
from k8s.manifests.template import to_yaml

if TYPE_CHECKING:
    from k8s.cluster.kube import Kube


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the manifests as YAML, or applies them; returns the exit code."""
    return verbs.run_verb(set_up_namespace, parse_setup_arguments(argv))


def parse_limit(text: str) -> int:
    """Returns a whole number of at least 0."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed: a whole number of at least 0; correct it")
    return int(text)


def parse_setup_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Returns the flags; exits with code 2 if they are wrong."""
    parser = CommandLine(
        prog="python -m k8s.setup",
        description="Prints the manifests of a namespace for launches as YAML, or applies them. Printing asks no cluster.",
        allow_abbrev=False,
    )
    parser.add_argument("--apply", action="store_true", help="apply the manifests to the cluster in place of printing")
    dry_run = "with --apply: the API server checks the manifests and changes nothing; without --apply it has no effect"
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
    parser.add_argument("--trainer-role", default="", metavar="ARN", help="IAM role of the trainer pods, for IRSA")
    parser.add_argument("--collector-role", default="", metavar="ARN", help="IAM role of the collecting pod, for IRSA")
    parser.add_argument("--launcher-groups", default="", metavar="A,B", help="groups that may launch")
    parser.add_argument("--launcher-users", default="", metavar="A,B", help="users that may launch")
    for kind in ("gpus", "pods"):
        most = f"most {kind.replace('gpus', 'GPUs')} at the same time; 0: no limit (0)"
        parser.add_argument(f"--quota-{kind}", type=parse_limit, default=0, metavar="N", help=most)
    used = ("context", "namespace", "trainer_account", "collector_account", "gpu_resource", "s3_endpoint", "dns")
    sources.add_setting_flags(parser, *used, "api_ports", "proxy", "queue")
    return parser.parse_args(argv)


def set_up_namespace(arguments: argparse.Namespace) -> int:
    """Prints or applies the manifests."""
    settings = sources.load_settings(arguments, os.environ)
    options = namespace.Options(
        trainer_role=arguments.trainer_role,
        collector_role=arguments.collector_role,
        groups=tuple(filter(None, arguments.launcher_groups.split(","))),
        users=tuple(filter(None, arguments.launcher_users.split(","))),
        quota_gpus=arguments.quota_gpus,
        quota_pods=arguments.quota_pods,
    )
    manifests = namespace.namespace_manifests(settings, options)
    if not arguments.apply:
        print(to_yaml(manifests), end="")
        return 0
    from k8s.cluster.connect import connect_as_set  # printing needs no cluster and no client

    with connect_as_set(settings) as kube:
        for manifest in manifests:
            done = _apply(kube, manifest, dry_run=arguments.dry_run)
            print(f"{done} {manifest['kind']} {manifest['metadata']['name']}", flush=True)
    return 0


def _apply(kube: Kube, manifest: Manifest, *, dry_run: bool) -> str:
    try:
        kube.apply(manifest, dry_run=dry_run)
    except NotFound:
        if not dry_run:
            raise
        return "not checked, because its namespace does not exist yet:"
    except ExperimentError as error:
        raise type(error)(f"{manifest['kind']} {manifest['metadata']['name']}: {error}") from error
    return "accepted" if dry_run else "applied"


if __name__ == "__main__":
    run_program(main)
