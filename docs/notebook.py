"""``python -m docs.notebook`` (``make notebook``): trains the cells that docs/results.ipynb reads, runs it, saves its outputs."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
PATH = ROOT / "docs" / "results.ipynb"
LOG_LINE = re.compile(r"WARNING: All log messages before absl|[IWE]\d{4} ")
COMMAND = re.compile(r"```sh\npython (.+)\n```")
# As every machine writes them: the versions of its own Python would be a change at every run.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def main() -> None:
    """Trains what ./store lacks, then rewrites docs/results.ipynb."""
    notebook = read_notebook()
    train_cells(notebook, ROOT)
    nbformat.write(execute(notebook, ROOT), PATH)


def read_notebook() -> NotebookNode:
    """Returns the notebook as committed."""
    return nbformat.read(PATH, as_version=4)


def train_cells(notebook: NotebookNode, root: Path) -> None:
    """Runs the command that the notebook names in a directory; docs/results.toml must be in it."""
    arguments = next(m[1] for c in notebook.cells if (m := COMMAND.search(c.source)))
    subprocess.run([sys.executable, *shlex.split(arguments)], cwd=root, env=_environment(), check=True)


def execute(notebook: NotebookNode, root: Path) -> NotebookNode:
    """Runs every cell in ``root``/docs and returns the notebook with their outputs.

    Raises:
        CellExecutionError: a cell failed.
    """
    client = NotebookClient(
        notebook, record_timing=False, timeout=300, resources={"metadata": {"path": str(root / "docs")}}
    )
    with tempfile.TemporaryDirectory() as home:  # a profile of the user's is not read, and need not be writable
        client.execute(env={**_environment(), "IPYTHONDIR": home, "MPLCONFIGDIR": home})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if not _is_log(o)]
    notebook.metadata = nbformat.from_dict({**METADATA, "executed_code_sha256": code_sha256(notebook)})
    return notebook


def code_sha256(notebook: NotebookNode) -> str:
    """Returns the digest of the code: saved with the outputs, it shows whether they belong to this code."""
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()


def _is_log(output: NotebookNode) -> bool:
    """Whether it is TensorFlow's log of finding its devices: no setting silences it, and it tells the time."""
    return output.get("name") == "stderr" and all(LOG_LINE.match(line) for line in output.text.splitlines())


def _environment() -> dict[str, str]:
    """This process's environment, in which the suite is found from any directory."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


if __name__ == "__main__":
    main()
