"""``split.csv``: what is written is read, and what is no split is refused."""

import pytest

from fastcnn.data import split_file
from fastcnn.errors import DataError


def test_what_is_written_is_read(tmp_path):
    rows = [split_file.SplitRow("train", "a, b/\u00e9 \"x\".png", "cat", "p1"),
            split_file.SplitRow("fold 2", "x[3]", "dog")]  # fmt: skip
    split_file.write(tmp_path / "split.csv", rows)
    assert split_file.read(tmp_path / "split.csv") == rows


@pytest.mark.parametrize(("text", "said"), [
    ("", "got nothing"),
    ("file,part\n", "expected the columns"),
    ("part,example,label\ntrain,a\n", "line 2: expected 3 values, got 2"),
    ("part,example,label\nvalid,a,b\n", "line 2: part"),
    ("part,example,label\ntrain,a,b\ntest,a,b\n", "line 3: expected each example once, got a twice"),
])  # fmt: skip
def test_what_is_no_split_is_refused(tmp_path, text, said):
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        split_file.read(tmp_path / "split.csv")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match="restore it"):
        split_file.read(tmp_path / "missing.csv")
