"""docs/datasets.md: from a folder of pictures to a report, by the commands that stand there."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from experiment.datasets import DATASETS
from experiment.grid import load_grid, parse_grid
from experiment.grid_text import format_grid

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "datasets.md").read_text()
SECTION = PAGE.split("## Images of your own")[1].split("\n## ")[0]


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The folder in which the page's commands were run on 126 small pictures of three classes, for one epoch and two seeds."""
    folder, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    for name, colour in {"daisy": 220, "rose": 120, "violet": 40}.items():
        (folder / "photos" / name).mkdir(parents=True)
        for i in range(42):
            pixels = np.clip(rng.normal(colour, 50, (20, 24, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{i}.jpg")
    script = re.search(r"```\n(.*?)```", SECTION, re.DOTALL)[1]
    assert len(script.splitlines()) <= 10
    small = script.replace("--size 32", "--size 12").replace("epochs = 20", "epochs = 1, batch_size = 16")
    small = small.replace("--seeds 5", "--seeds 2")
    environment = {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-euc", small], cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_page_leads_from_pictures_to_a_report(reported):
    _, said = reported
    report = Path(said.splitlines()[-1]).parent

    page = (report / "index.html").read_text()
    assert "flowers" in page
    assert "No pictures of" not in page
    assert {"flowers-samples.svg", "flowers-pca.svg", "flowers-reliability.svg"} <= {
        p.name for p in (report / "figures").iterdir()
    }
    rows = pq.read_table(report / "results.parquet").to_pylist()
    assert len(rows) == 2 * 3 * 3  # seeds, methods, models
    assert {row["dataset"] for row in rows} == {"flowers"}


def test_predictions_have_a_logit_for_each_class(reported):
    folder, _ = reported
    for path in (folder / "store" / "results").rglob("predictions.parquet"):
        table = pq.read_table(path)
        assert {len(row) for row in table["logits"].to_pylist()} == {3}
        assert set(table["label"].to_pylist()) == {0, 1, 2}


def test_a_grid_that_the_suite_writes_is_of_the_same_cells_and_finds_the_images_in_the_store(reported):
    folder, _ = reported
    cells = load_grid(str(folder / "flowers.toml")).with_seeds(2).cells
    (folder / "again.toml").write_text(format_grid(cells))
    launch = [sys.executable, "-m", "k8s.launch", "--grid", "again.toml", "--executor", "local", "--store", "store"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(launch, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert "6 cells, 6 done" in done.stdout


def test_the_table_on_the_page_is_one_that_a_grid_can_have():
    text = re.search(r"```toml\n(.*?)```", SECTION, re.DOTALL)[1].replace("b83c...01", "ab" * 32)
    grid = text + '[base]\ndataset = "flowers"\nmethod = "single"\n[[product]]\nseed = 0\n'

    assert parse_grid("g", tomllib.loads(grid)).cells[0].info.classes == 5


def test_every_data_set_that_is_known_stands_in_the_table():
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)(?: \(.*?\))? / ([\d,]+) \| (\w+) \|", PAGE, re.MULTILINE)
    found = {name: (int(a.replace(",", "")), int(b.replace(",", "")), shape) for name, a, b, shape in rows}

    assert found == {n: (d.train, d.test, "x".join(map(str, d.shape))) for n, d in DATASETS.items()}
