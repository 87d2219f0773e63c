"""Tables that name pictures: what their columns mean, and what is refused, with the line."""

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.errors import DataError

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


@pytest.fixture
def table(tmp_path):
    """Return a writer of a table over ten pictures, p/0.png ... p/9.png, each of one value: 20 times its number."""
    (tmp_path / "p").mkdir()
    for k in range(10):
        Image.fromarray(np.full((6, 8), 20 * k, np.uint8)).save(tmp_path / "p" / f"{k}.png")

    def write(*lines, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return path

    return write


def lines(*more, header="file,label"):
    return (header, *(f"p/{k}.png,{'ab'[k % 2]}{''.join(f',{column[k]}' for column in more)}" for k in range(10)))


def values(x):
    return (x[:, 0, 0, 0] // 20).tolist()


def test_a_table_without_parts_is_split_as_a_folder_is(table):
    data = datasets.load(table(*lines()))
    assert data.classes == ("a", "b")
    assert data.x_train.shape == (8, 6, 8, 1)
    assert values(data.x_test) == [8, 9]
    assert data.y_test.tolist() == [0, 1]
    assert data.origin.files["test"] == ("p/8.png", "p/9.png")
    assert data.w_train is None


def test_columns_tell_parts_and_weights(table):
    split = ["train"] * 5 + ["Test", "test", "valid", "val", "train"]
    data = datasets.load(table(*lines(split, [k / 4 for k in range(10)], header="file,label,split,weight")))
    assert values(data.x_train) == [0, 1, 2, 3, 4, 9]
    assert values(data.x_test) == [5, 6]
    assert values(data.x_dev) == [7, 8]
    assert data.w_train.dtype == np.float32
    assert data.w_train.tolist() == [0, 0.25, 0.5, 0.75, 1, 2.25]
    assert data.w_test.tolist() == [1.25, 1.5]
    assert data.w_dev.tolist() == [1.75, 2]


def test_dev_is_tested_on_where_there_is_no_test(table):
    data = datasets.load(table(*lines(["train"] * 6 + ["dev"] * 4, header="file,label,split")))
    assert values(data.x_test) == [6, 7, 8, 9]
    assert data.x_dev is None
    assert "the part dev of the table is what is tested on" in data.notes


def test_numbers_are_classes_in_their_order_and_spreadsheets_mark_their_files(table):
    names = ["10"] * 5 + ["9"] * 3 + ["2"] * 2
    path = table("file,label", *(f" p/{k}.png , {names[k]}" for k in range(10)), "", ",", encoding="utf-8-sig")
    with pytest.warns(UserWarning, match="fewer than five images"):
        data = datasets.load(path, image_size=(3, 4), fit="stretch")
    assert data.classes == ("2", "9", "10")
    assert data.x_train.shape[1:] == (3, 4, 1)


def test_a_path_may_have_a_comma_and_lie_elsewhere(table, tmp_path):
    (tmp_path / "p" / "1.png").rename(tmp_path / "p" / "1, a.png")
    rows = list(lines())
    rows[1], rows[2] = f"{tmp_path / 'p' / '0.png'},a", '"p/1, a.png",b'
    data = datasets.load(table(*rows))
    assert values(data.x_train) == list(range(8))
    assert data.origin.files["train"][1] == "p/1, a.png"


@pytest.mark.parametrize(("number", "line", "said"), [
    (1, "name,label", "line 2, column name: expected a finite number, as features are, got 'p/0.png'"),
    (1, "file,name", "line 1: expected columns named file and label, or label_... for several labels, got file, name"),
    (1, "file;label", "line 2: expected 2 values (file, label), separated by semicolons as in the first line, got 1"),
    (1, "file,label,label", "line 1: expected columns of different names, got 'label' twice"),
    (4, "p/2.png", "line 4: expected 2 values (file, label), separated by commas as in the first line, got 1"),
    (4, "p/2.png,", "line 4: expected a value in each cell of the column label, got an empty one"),
    (5, "./p/1.png,a", "line 5: expected each picture once, got ./p/1.png, which line 3 names with another label (b, "),
    (5, "p/1.png,b", "got p/1.png, which line 3 names; remove one of them"),
    (6, "p/none.png,a", "line 6: expected a picture"),
    (6, "p,a", "got a folder there"),
    (6, '"p/4.png,a', "separated by commas, got: unexpected end of data"),
])  # fmt: skip
def test_a_bad_line_is_refused_with_its_number(table, number, line, said):
    rows = list(lines())
    rows[number - 1] = line
    with pytest.raises(DataError) as refused:
        datasets.load(table(*rows))
    assert said in str(refused.value)
    assert "table.csv" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("column", "value", "said"), [
    ("weight", "-1", "line 4: expected a weight as a finite number of at least 0, got '-1'"),
    ("weight", "inf", "got 'inf'"),
    ("weight", "much", "got 'much'"),
    ("weight", "", "line 4: expected a value in each cell of the column weight"),
    ("split", "trian", "line 4: split: 'trian' is not known; did you mean 'train'?"),
    ("split", "", "line 4: expected a value in each cell of the column split"),
])  # fmt: skip
def test_a_bad_cell_is_refused_with_its_line(table, column, value, said):
    cells = ["1" if column == "weight" else "train"] * 10
    cells[2] = value
    with pytest.raises(DataError) as refused:
        datasets.load(table(*lines(cells, header=f"file,label,{column}")))
    assert said in str(refused.value)


def test_parts_that_nothing_can_be_learned_from_are_refused(table):
    with pytest.raises(DataError, match=r"expected train and test, .* got test alone"):
        datasets.load(table(*lines(["test"] * 10, header="file,label,split")))
    with pytest.raises(DataError, match=r"line 3: expected a label that a line of train has, got b"):
        datasets.load(table(*lines(["train", "dev"] * 5, header="file,label,split")[:-2], "p/8.png,c,train,"[:-1]))
    with pytest.raises(DataError, match="a weight above 0"):
        datasets.load(table(*lines(["0"] * 10, header="file,label,weight")))
    with pytest.raises(DataError, match="the label a alone"):
        datasets.load(table("file,label", "p/0.png,a"))
    with pytest.raises(DataError, match="got no line"):
        datasets.load(table("file,label"))


def test_a_damaged_picture_is_named_with_its_line_or_skipped(table, tmp_path):
    (tmp_path / "p" / "3.png").write_bytes(b"no picture")
    (tmp_path / "p" / "5.png").unlink()
    path = table(*lines([1] * 5 + [2] * 5, header="file,label,weight"))
    with pytest.raises(DataError, match=r"line 7: expected a picture .*5.png, got nothing there"):
        datasets.load(path)
    with pytest.warns(UserWarning, match="fewer than five images"):
        data = datasets.load(path, skip_damaged=True)
    assert data.notes[0] == "2 of 10 files skipped, as they cannot be read: p/3.png, p/5.png"
    assert values(data.x_train) == [0, 1, 2, 4, 6, 7, 9]
    assert values(data.x_test) == [8]
    assert data.w_train.tolist() == [1, 1, 1, 1, 2, 2, 2]
    Image.fromarray(np.zeros((6, 8), np.uint8)).save(tmp_path / "p" / "5.png")
    with pytest.raises(DataError, match=r"table.csv, line 5: .*3.png: expected a picture"):
        datasets.load(path)


def test_several_labels_of_pictures_may_be_unknown_and_numbers_have_their_unit(table):
    smiles, glasses = [0, 1] * 5, ["1", "", "0", "0", "1", "1", "", "0", "1", "0"]
    rows = (f"p/{k}.png,{smile},{glass}" for k, (smile, glass) in enumerate(zip(smiles, glasses)))
    data = datasets.load(table("file,label_smile,label_glasses", *rows))
    assert (data.task, data.classes, data.targets) == ("multilabel", ("label_smile", "label_glasses"), ())
    y = np.concatenate([data.y_train, data.y_test])[np.argsort(data.origin.order)]
    assert y.dtype == np.float32
    assert y[:, 0].tolist() == smiles
    assert y[:, 1].tolist() == [-1 if cell == "" else int(cell) for cell in glasses]
    data = datasets.load(table("file,label", *(f"p/{k}.png,{1000.25 + k}" for k in range(10))))
    assert (data.task, data.classes, data.targets, data.y_train.dtype) == ("regression", (), ("label",), np.float64)
    assert [20 * (y - 1000.25) for y in data.y_train] == data.x_train[:, 0, 0, 0].tolist()


def test_semicolons_and_the_lines_of_other_systems_are_read(table, tmp_path):
    rows = [line.replace(",", ";") for line in lines()]
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode() + b"\r\n\r\n")
    assert values(datasets.load(path).x_test) == [8, 9]
    path.write_bytes("\n".join(rows).encode("utf-16"))
    with pytest.raises(DataError, match="expected a table of UTF-8"):
        datasets.load(path)
