"""``fastcnn data check`` of boxes, masks and persons."""

import numpy as np
import pytest

from fastcnn.cli import main
from tests.datasets import annotated_files as files

image = pytest.importorskip("PIL.Image")
BOXES = [("cat", 10, 10, 40, 30), ("dog", 0, 0, 20, 39)]


@pytest.fixture
def checked(tmp_path, monkeypatch, capsys):
    """Run ``fastcnn data check ARGS`` in this process; return the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")

    def run(*args):
        code = main(["data", "check", *map(str, args)])
        return code, *capsys.readouterr()

    return run


def test_boxes_are_counted_and_drawn_where_they_are(checked, tmp_path):
    files.voc(tmp_path / "pets", [BOXES, [], BOXES, BOXES, BOXES[:1]])
    code, output, errors = checked("pets", "--out", "page.png")
    assert (code, errors) == (0, "")
    assert "part   train: 4 pictures, 6 boxes (cat 3, dog 3), 1 pictures without any" in output
    assert "note   1 size of pictures: 5 of 60x40" in output
    assert "note   mean sizes of boxes: cat 30x20, dog 20x39" in output
    assert output.endswith("no fault found\n")
    with image.open(tmp_path / "page.png") as page, image.open(tmp_path / "pets/JPEGImages/p0.png") as first:
        sheet, picture = np.asarray(page), np.asarray(first)
    tile = sheet[6:46, 6:66]
    changed = (tile != picture).any(axis=2)
    rows, columns = np.nonzero((tile == (230, 159, 0)).all(axis=2))
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (10, 10, 40, 30)
    assert not changed[31:38, 22:].any()
    np.testing.assert_array_equal(sheet[6:46, 72:132], np.asarray(image.open(tmp_path / "pets/JPEGImages/p1.png")))


def test_faults_are_lines_and_exit_code_3_unless_they_may_be_left_out(checked, tmp_path):
    files.voc(tmp_path / "pets", [BOXES, [("cat", 5, 5, 5, 9)], BOXES, BOXES, BOXES])
    (tmp_path / "pets" / "Annotations" / "p2.xml").write_text("<annotation>")
    code, output, _ = checked("pets")
    assert code == 3
    assert "fault  Annotations/p1.xml, line 4, box 1: has no area: 5, 5, 5, 9" in output
    assert "fault  Annotations/p2.xml: line 1: expected whole XML" in output
    assert output.endswith("2 faults; --drop-bad leaves out what has them\n")
    code, output, _ = checked("pets", "--drop-bad")
    assert code == 0
    assert "note   1 box left out: Annotations/p1.xml, line 4, box 1" in output
    assert "note   1 picture left out: Annotations/p2.xml" in output


def test_boxes_that_may_be_one_object_are_told_and_no_fault(checked, tmp_path):
    twice = [("cat", 10, 10, 50, 38), ("cat", 10, 10, 50, 37.5)]
    files.voc(tmp_path / "pets", [BOXES, twice, BOXES, BOXES, BOXES])
    code, output, _ = checked("pets")
    assert code == 0
    assert "note   1 pairs of boxes of one class overlap by more than 0.9" in output
    assert "p1.png, boxes 1 and 2" in output


def test_masks_and_persons_are_counted_and_drawn(checked, tmp_path):
    for k in range(5):
        files.picture(tmp_path / "cells" / "images" / f"{k}.png", (8, 8))
        mask = np.zeros((8, 8), np.uint8)
        mask[:4, :4], mask[6:, 6:] = 1, 2
        (tmp_path / "cells" / "masks").mkdir(exist_ok=True)
        image.fromarray(mask).save(tmp_path / "cells" / "masks" / f"{k}.png")
    code, output, _ = checked("cells", "--out", "cells.png")
    assert (code, "part   train: 4 pictures, 8 objects, 31.2% of the pixels marked" in output) == (0, True)
    for person in range(10):
        files.picture(tmp_path / "people" / f"p{person}" / "a.png")
    code, output, _ = checked("people", "--task", "identity", "--out", "people.png")
    assert (code, "part   train: 8 pictures of 8 persons" in output) == (0, True)
    assert (tmp_path / "people.png").is_file()


def test_a_mistaken_form_and_a_missing_set_are_one_line(checked, tmp_path):
    files.voc(tmp_path / "pets", [[("cat", 0.1, 0.2, 0.5, 0.6)]] * 5)
    code, output, errors = checked("pets")
    assert (code, output) == (3, "")
    assert "all values below 1: are these shares?" in errors
    assert errors.count("\n") == 1
    code, _, errors = checked("bccd", "--data-dir", tmp_path)
    assert (code, errors.count("\n")) == (3, 1)
    code, _, errors = checked("digits", "--out", "x.png")
    assert (code, "expected data with boxes, masks or persons" in errors) == (2, True)


def test_the_blood_cells_have_their_two_faults(checked, data_dir, tmp_path):
    code, output, _ = checked("bccd", "--data-dir", data_dir, "--out", "page.png")
    assert code == 3
    assert output.count("fault  ") == 2
    assert "BloodImage_00338.xml, line 158, box 13: has no area: 504, 337, 504, 337" in output
