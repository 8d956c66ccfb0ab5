"""The notebooks run from top to bottom, and are kept without outputs."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_there_are_some():
    assert NOTEBOOKS


@each_notebook
def test_outputs_are_stripped(path):
    for cell in cells(path):
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            assert cell["execution_count"] is None


@each_notebook
def test_claims_are_asserted(path):
    assert any("assert" in "".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code")


@each_notebook
@pytest.mark.filterwarnings("default")  # of the kernel's libraries; code in cells has the kernel's own filters
def test_runs(path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # also for programs that a cell starts
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # on busy cores, threads for small matrices wait for each other
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
