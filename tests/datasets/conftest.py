"""Where the real data sets are, and the assurance that no test reaches a user's folders or the network."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("FASTCNN_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


@pytest.fixture(autouse=True)
def _no_folder_of_the_user(monkeypatch):
    monkeypatch.delenv("FASTCNN_DATA", raising=False)


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder that holds the folders of the published data sets."""
    if not (DATA / "mnist").is_dir():
        pytest.skip(f"no real data sets in {DATA}; name their folder in FASTCNN_DATA")
    return DATA
