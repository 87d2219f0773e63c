"""The table of differences from Keras is what its source says, and fastcnn does what the table says."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers

HOOK = Path(__file__).parents[2] / "docs" / "hooks" / "differences.py"
spec = importlib.util.spec_from_file_location("differences", HOOK)
differences = importlib.util.module_from_spec(spec)
spec.loader.exec_module(differences)
ROWS = differences.rows()


def test_the_page_has_the_table_of_the_source():
    assert differences.PAGE.read_text() == differences.page(), "run python docs/hooks/differences.py"


def test_a_difference_is_told_once_and_whole():
    assert len({row["what"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert {"what", "keras", "fastcnn"} <= row.keys() <= {"what", "keras", "fastcnn", "shown"}
        assert not any("|" in text or "\n" in text for name, text in row.items() if name != "shown")


@pytest.mark.parametrize("row", [row for row in ROWS if "shown" in row], ids=lambda row: row["what"])
def test_fastcnn_differs_as_the_table_says(row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(row["shown"], {"fc": fc, "layers": layers, "np": np, "raises": pytest.raises})
