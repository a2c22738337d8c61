"""What was trained, in words that a reader needs before any number, and how to cite it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aggregator.entries import NOTHING, Entry, text_entry
from aggregator.reading.run import RunResults
from aggregator.report.blocks import Section
from aggregator.study import TITLES, Study
from aggregator.tables import Table
from experiment.cell import Cell
from experiment.inference import PARAMETERS
from experiment.members import Member

PAPER = "Justin Noel: A collaborative approach to deep learning. University of Regensburg, 2 June 2017"
COLLABORATION = (
    "The members of an ensemble are trained at the same time on the same mini-batches. Each pays the cross-entropy with the "
    "labels and its weight decay, and all together pay alpha times a collaboration cost for disagreeing: the symmetric "
    "cross-entropy of their predictions (CE), or the squared (L2) or absolute (L1) distance of their outputs. Single is the "
    "same ensemble without that cost. Ens is the model whose logits are the mean of the members' logits."
)
SETTINGS = {
    "batch_size": "batch",
    "learning_rate": "learning rate",
    "weight_decay": "weight decay",
    "epochs": "epochs",
    "head": "head",
    "precision": "precision",
}


def trained_section(run: RunResults, studies: Sequence[Study]) -> Section:
    """Returns what collaboration is, what each study trained, and what to cite."""
    paper = f"The paper is {PAPER}; the numbers of its tables A.7 to A.12 and the statements of its section 6.1 are what this page is set beside."
    table = Table(
        name="trained",
        title="Settings",
        caption="Members: bricks x blocks of pre-activation residual units, and filters of the first brick (parameters, where "
        "they were counted). The learning rate is that of the first epoch, and is halved during training.",
        columns=("data set", "images: training, test", "members", "training", "methods", "alphas", "seeds"),
        rows=tuple(_study_row(study, run.provenance) for study in studies),
    )
    words = (COLLABORATION, paper, f"To cite: the paper, and this report as {cite_run(run)}.")
    return Section(anchor="trained", title="What was trained", words=words, blocks=(table,))


def cite_run(run: RunResults) -> str:
    """Returns what names this report among all others: the suite, the run, its code and the time of reading."""
    codes = sorted({str(f.get("git_commit", "")) for f in run.provenance.values()} - {""})
    code = f" trained by commit {', '.join(c[:12] for c in codes)}" if codes else ""
    count = f"{len(run.done)} of {len(run.states)} cells"
    return f"collaborative-ensembles: run {run.run.name} of grid {run.run.grid.name}, {count}{code}, read {run.time:%Y-%m-%d %H:%M} UTC"


def _study_row(study: Study, provenance: Mapping[str, Mapping[str, Any]]) -> tuple[Entry, ...]:
    cell = study.cells[0]
    sizes = [f"{study.size(c):,}" for c in ("train_examples", "test_examples")] if len(study.rows) else [NOTHING]
    counted: Mapping[str, Any] = next(
        (f["inference"] for c in study.cells if (f := provenance.get(c.id, {})).get("inference")), {}
    )
    members = "\n".join(_say_member(m, counted) for m in cell.members)
    methods = [TITLES[m] for m in dict.fromkeys(t.method for t in study.treatments)]
    alphas = sorted({t.alpha for t in study.beside_single}, reverse=True)
    texts = (
        study.title,
        ", ".join(sizes),
        members,
        _say_settings(cell),
        ", ".join(methods),
        ", ".join(map(str, alphas)) or NOTHING,
        ", ".join(map(str, _say_seeds(study))),
    )
    return tuple(map(text_entry, texts))


def _say_member(m: Member, counted: Mapping[str, Mapping[str, float]]) -> str:
    count = counted.get(m.name, {}).get(PARAMETERS)
    return f"{m.name}: {m.bricks} x {m.blocks}, {m.filters} filters" + (f" ({count:,.0f})" if count else "")


def _say_settings(cell: Cell) -> str:
    values = {title: getattr(cell, name) for name, title in SETTINGS.items()}
    return "\n".join(f"{t} {v:.4g}" if isinstance(v, float) else f"{t} {v}" for t, v in values.items())


def _say_seeds(study: Study) -> list[str]:
    """Returns the seeds: a range where they follow one another."""
    seeds = sorted({c.seed for c in study.cells})
    follow = len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1))
    return [f"{seeds[0]} to {seeds[-1]}"] if follow else list(map(str, seeds))
