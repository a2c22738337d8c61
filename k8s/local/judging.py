"""Has the claims of a run judged by the aggregator, a program that this package may not import."""

from __future__ import annotations

import json
from collections.abc import Sequence

from experiment.errors import KINDS, ExperimentError, Interrupted, InvalidInput, kind_of
from experiment.sealed import SHAPELESS
from k8s.local.process import run_interruptible, run_to_end
from k8s.local.programs import Programs
from k8s.planning.look_plan import Answer


def judge_run(url: str, seeds: Sequence[int], programs: Programs) -> list[Answer]:
    """Returns what a look at a run's results says of each claim, and the chance of a verdict with so many seeds.

    Raises:
        ExperimentError: the aggregator could not judge it; of the kind of its exit code.
        Interrupted: by Ctrl-C or SIGTERM.
    """
    lines = _run(programs.judge(url, seeds), programs, "the results could not be judged")
    is_json = [line.startswith("{") for line in lines]  # what goes to stderr may come after it
    for line, is_answer in zip(lines, is_json, strict=True):
        if not is_answer:
            print(line, flush=True)
    try:
        answer = json.loads(lines[is_json.index(True)])
        return [Answer.from_json(c, "the judgement") for c in answer["claims"]]
    except SHAPELESS as error:
        raise InvalidInput(f"the judgement of {url} cannot be read ({error!r}); install the suite again") from error


def check_judging(programs: Programs) -> None:
    """Checks that this machine has what judging needs, before anything is trained for it.

    Raises:
        ExperimentError: it has not.
    """
    _run((*programs.aggregator, "--help"), programs, "--until-decided judges results on this machine, which fails")


def _run(command: Sequence[str], programs: Programs, failed: str) -> list[str]:
    """Returns the lines that a program prints."""
    lines: list[str] = []
    work = run_to_end(command, programs.environment(), lines.append)
    code, last = run_interruptible(work, lambda: None, lambda: None)
    if code:
        kind = KINDS.get(kind_of(code), ExperimentError)
        raise (InvalidInput if kind is Interrupted else kind)(f"{failed}: {last.removeprefix('error: ')}")
    return lines
