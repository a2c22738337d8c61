"""What the verbs beside ``k8s.launch`` share: naming a run, and ending with the error's exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from experiment import keys
from experiment.errors import ExperimentError, Interrupted, describe_error
from experiment.run import Run, open_run
from experiment.store import Store
from k8s.manifests import sources
from k8s.manifests.settings import Settings


def run(verb: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """The verb's exit code; a foreseen error is one line on stderr."""
    try:
        return verb(arguments)
    except ExperimentError as error:
        print(f"error: {describe_error(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return Interrupted.exit_code
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser(name: str, about: str) -> argparse.ArgumentParser:
    """A verb's command line with what each of them needs: the run, and where its Jobs are."""
    made = argparse.ArgumentParser(prog=f"python -m k8s.{name}", description=about, allow_abbrev=False)
    add_run(made)
    sources.add_arguments(made, "context", "namespace")
    return made


def add_run(made: argparse.ArgumentParser) -> None:
    """The flags that name a run."""
    made.add_argument("--run", required=True, metavar="RUN|URL", help="the run's name, or STORE/runs/RUN")
    made.add_argument("--store", default="store", metavar="URL", help="with a run's name: its store (./store)")


def opened(arguments: argparse.Namespace) -> tuple[Store, Run, Settings]:
    """The store, the run as launched, and the settings."""
    named = f"/{keys.RUNS}" in arguments.run
    store, run = open_run(arguments.run if named else keys.run_url(arguments.store, arguments.run))
    return store, run, sources.load(arguments, os.environ)
