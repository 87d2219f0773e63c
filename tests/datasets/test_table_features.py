"""Tables without pictures: rows of numbers to learn from, what is learned, and what is refused with line and column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcnn import datasets
from fastcnn.datasets._targets import targets_of
from fastcnn.errors import ArgumentError, DataError


@pytest.fixture
def table(tmp_path):
    """Return a writer of a table."""

    def write(*lines, name="t.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def rows(label=lambda k: "ab"[k % 2], count=20):
    return [f"{k},{k * k / 4},{label(k)}" for k in range(count)]


def whole(data):
    """Return features and targets in the order of the table."""
    order = np.argsort(data.origin.order)
    return np.concatenate([data.x_train, data.x_test])[order], np.concatenate([data.y_train, data.y_test])[order]


def test_columns_of_numbers_are_features_and_every_fifth_line_of_a_class_is_for_testing(table):
    data = datasets.load(table("age,size,label", *rows()))
    x, y = whole(data)
    assert data.features == ("age", "size")
    assert (x.dtype, x.shape, data.classes) == (np.float32, (20, 2), ("a", "b"))
    assert x[:, 1].tolist() == [k * k / 4 for k in range(20)]
    assert y.tolist() == [k % 2 for k in range(20)]
    assert data.origin.files["test"] == ("line 10", "line 11", "line 20", "line 21")
    assert data.scale == 1
    assert data.pictures is None


def test_a_split_weights_and_columns_that_are_no_features(table):
    path = table("id,weight,sample_weight,split,label",
                 *(f"x{k},{k},{k / 2},{('train', 'dev', 'test', 'train')[k % 4]},{k}.5" for k in range(12)))
    data = datasets.load_table(path, ignore="id")
    assert data.features == ("weight",)  # a weight in kilograms, say
    assert data.w_train.tolist() == [0, 1.5, 2, 3.5, 4, 5.5]
    assert data.y_dev.tolist() == [1.5, 5.5, 9.5]
    assert data.origin.table.columns == ("id", "sample_weight", "split", "label")
    assert data.origin.table.rows["line 3"].cells["id"] == "x1"


def test_labels_have_any_name_and_whole_numbers_are_classes_unless_asked(table):
    path = table("a,quality", *(f"{k / 3},{3 + k % 4}" for k in range(40)))
    assert datasets.load_table(path, labels="quality").classes == ("3", "4", "5", "6")
    data = datasets.load_table(path, labels=["quality"], regression=True)
    assert (data.task, data.targets) == ("regression", ("quality",))
    assert whole(data)[1].tolist() == [3 + k % 4 for k in range(40)]
    path = table("a,version", *(f"{k},1.{k % 2}" for k in range(40)))
    assert datasets.load_table(path, labels="version").task == "regression"
    assert datasets.load_table(path, labels="version", regression=False).classes == ("1.0", "1.1")


def test_several_columns_of_numbers_are_learned_together(table):
    path = table("a,label_x,label_y", *(f"{k},{k}.5,{1000 - k * k / 3}" for k in range(30)))
    data = datasets.load(path)
    assert (data.task, data.targets, data.outputs) == ("regression", ("label_x", "label_y"), ("label_x", "label_y"))
    assert whole(data)[1][3].tolist() == [3.5, 997.0]


@given(st.lists(st.tuples(*[st.sampled_from(["0", "1", "", "1.0", "0.00"])] * 3), min_size=1, max_size=20))
def test_cells_of_several_labels_are_one_zero_or_unknown(cells):
    columns = {name: list(column) for name, column in zip("abc", zip(*cells))}
    found = targets_of(columns, lambda row, name: "")
    assert found.task == "multilabel"
    assert found.y.tolist() == [[-1 if cell == "" else float(cell) for cell in row] for row in cells]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20).filter(
    lambda numbers: any("." in repr(x) or "e" in repr(x) for x in numbers)))
def test_floats_as_python_writes_them_are_numbers_to_learn_and_come_back_the_same(numbers):
    found = targets_of({"y": list(map(repr, numbers))}, lambda row, name: "")
    assert found.task == "regression"
    assert found.y.tolist() == numbers


LABEL = lambda k: f"{k}.5"
ROWS, NUMBERS = ["a,b,label", *rows()], ["a,b,label", *rows(LABEL)]
BAD = {
    "a missing label": (["a,b,c", *rows()], "line 1: expected columns named file (or features) and label, or label_"),
    "no feature": (["label", *"abab"], "line 1: expected a column file, or columns of numbers to learn from"),
    "too few cells": (["a,b,label", "1,2,x", "1,x"], "line 3: expected 3 values (a, b, label), separated by commas"),
    "no line": (["a,b,label"], "expected lines of numbers, got no line"),
    "text": ([*ROWS, "1,red,a"], "line 22, column b: expected a finite number, as features are, got 'red'"),
    "a decimal comma": (["a;b;label", "1;2,5;x"], "line 2, column b: expected a finite number, as features are, got"),
    "an underscore": ([*ROWS, "1,1_0,a"], "line 22, column b: expected a finite number"),
    "an empty cell": ([*ROWS, "1,,a"], "line 22, column b: expected a finite number, as features are, got an empty"),
    "NaN": ([*ROWS, "1,nan,a"], "line 22, column b: expected a finite number, as features are, got nan"),
    "beyond float32": ([*ROWS, "1,-1e39,a"], "line 22, column b: expected a finite number"),
    "one class": (["a,b,label", *rows(lambda k: "x")], "expected lines of at least two classes, got the label x"),
    "equal targets": (["a,b,label", *rows(lambda k: "3.5")], "column label: expected different numbers to learn"),
    "text for a target": ([*NUMBERS, "1,2,many"], "line 22, column label: expected a finite number to learn, got 'm"),
    "an infinite target": ([*NUMBERS, "1,2,1e999"], "line 22, column label: expected a finite number to learn"),
    "an empty target": ([*NUMBERS, "1,2,"], "line 22: expected a value in each cell of the column label"),
    "one of several": (["a,label_u,label_v", *rows(LABEL), "1,0.5,"],
                       "line 22, column label_v: expected a finite number to learn, got an empty cell"),
    "a label that is neither": (["a,label_u,label_v", "1,0,1", "1,1,2"],
                                "line 3, column label_v: expected 1, 0 or nothing in columns of several labels, got"),
    "labels and numbers": (["a,label_u,label_v", "1,0,1.5", "1,1,2.5"],
                           "column label_u: expected numbers with fractions, as in label_v, got 0 and 1 alone"),
    "nothing known": (["a,label_u,label_v", "1,0,", "2,1,"],
                      "column label_v: expected known labels, 0 or 1, in lines for training, got empty cells alone"),
    "a label beside": (["a,label,label_id", *rows()],
                       "line 1: expected the column label alone to be learned, got label_id beside it"),
    "time in seconds": (["a,label", *(f"{1.7e9 + k:.0f},{'ab'[k % 2]}" for k in range(40))],
                        "column a: expected numbers whose differences float32 can tell, got 1700000000 to 1700000039"),
    "targets in seconds": (["a,label", *(f"{k},{1.7e9 + k:.1f}" for k in range(40))],
                           "column label: expected numbers whose differences float32 can tell"),
    "an unknown part": (["a,split,label", "1,trian,x"], "line 2: split: 'trian' is not known; did you mean 'train'?"),
    "a part with a new class": (["a,split,label", "1,train,x", "1,train,y", "2,test,z"],
                                "line 4: expected a label that a line of train has, got z"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_learned_from_is_refused_with_its_place(table, case):
    lines, said = BAD[case]
    with pytest.raises(DataError) as refused:
        datasets.load(table(*lines))
    assert "t.csv" in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_arguments_that_do_not_fit_a_table_are_refused(table, tmp_path):
    path = table("age,size,label", *rows())
    with pytest.raises(ArgumentError, match=r"column: 'sise' is not known; did you mean 'size'\?"):
        datasets.load_table(path, ignore=["sise"])
    with pytest.raises(ArgumentError, match="in one role, got size to learn"):
        datasets.load_table(path, labels="size", ignore=["size"])
    with pytest.raises(ArgumentError, match="image_size with a folder of pictures alone"):
        datasets.load_table(path, image_size=(8, 8))
    with pytest.raises(ArgumentError, match="labels as the names of columns, got 5"):
        datasets.load_table(path, labels=5)
    with pytest.raises(ArgumentError, match="expected the path of a table"):
        datasets.load_table(tmp_path)


def test_a_record_checks_features_and_targets(table):
    data = datasets.load(table("age,size,label", *rows(LABEL)))
    known = {name: getattr(data, name) for name in data.__dataclass_fields__}
    with pytest.raises(DataError, match=r"expected finite targets, got NaN"):
        datasets.Dataset(**known | {"y_train": data.y_train * np.nan})
    with pytest.raises(DataError, match=r"expected floats \(16, 1\) or \(16,\), a column for each of label, got int64"):
        datasets.Dataset(**known | {"y_train": data.y_train.astype(int)})
    with pytest.raises(DataError, match=r"got infinity in 4 of 4 rows, first in row 0, column 1 \(size\);"):
        datasets.Dataset(**known | {"x_test": data.x_test * np.float32([1, np.inf])})
    with pytest.raises(DataError, match=r"expected float32 features \(16, 1\)"):
        datasets.Dataset(**known | {"features": ("age",)})
    with pytest.raises(DataError, match="labels of 1, 0, or -1"):
        datasets.Dataset(**known | {"task": "multilabel", "classes": ("a",), "y_train": data.y_train[:, None] * 2})
