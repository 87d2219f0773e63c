"""Tables from the command line: numbers to learn, several labels of which some are unknown, rows of features."""

import csv
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.cli import _multilabel, _regression, main
from tests.cli.conftest import only_line

DRAW = np.random.default_rng(7)
X = DRAW.normal((5, -300, 0.02), (3, 100, 0.004), (240, 3)).round(6)
PRICE = 1000 + 40 * X[:, 0] + X[:, 1] + 5000 * X[:, 2] + DRAW.normal(0, 5, 240)
YES = np.stack([X[:, 0] > 5, X[:, 1] > -280, X[:, 0] + X[:, 1] / 30 > -4], axis=1)
KNOWN = DRAW.random(YES.shape) < 0.7


@pytest.fixture
def fastcnn(tmp_path, monkeypatch, capsys):
    """Run ``fastcnn ARGS`` in this process, which takes less time than one of its own, in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        code = main(list(map(str, args)))
        out, err = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return run


def written(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def prices(tmp_path):
    """Return a table of 240 houses with two numbers to learn, and a name that is no feature."""
    return written(tmp_path / "prices.csv", ["house", "rooms", "west", "rent", "price", "tax"],
                   [[f"h{k}", *x, f"{price:.4f}", f"{price / 50 - x[0]:.5f}"]
                    for k, (x, price) in enumerate(zip(X.tolist(), PRICE))])  # fmt: skip


@pytest.fixture
def habits(tmp_path):
    """Return a table of 240 rows with three labels, three tenths of them unknown."""
    labels = [["" if not known else int(yes) for yes, known in zip(*both)] for both in zip(YES, KNOWN)]
    return written(tmp_path / "habits.csv", ["a", "b", "c", "label_x", "label_y", "label_z"],
                   [[*x, *label] for x, label in zip(X.tolist(), labels)])  # fmt: skip


def figures_of(text, part):
    return {name: float(value) for name, value in re.findall(rf"^{part} (.+) (\S+)$", text, re.M)}


def test_numbers_are_learned_and_told_in_the_unit_of_the_table(fastcnn, prices, tmp_path):
    learn = ("train", "--dataset", prices, "--label", "price", "--ignore", "house,tax", "--seed", 1)
    result = fastcnn(*learn, "--model", "linear_regression", "--epochs", 60, "--lr", 0.02, "--out", "run")
    assert result.returncode == 0, result.stderr
    assert "data   prices: 144 training, 48 dev and 48 test rows of 3 features, to tell price" in result.stdout
    assert float(re.search(r"^dev R2 (\S+)$", result.stdout, re.M)[1]) > 0.99
    lines = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    assert all("val_r2_score" in json.loads(line) for line in lines)
    tested = fastcnn("evaluate", "run")
    found = figures_of(tested.stdout, "test")
    assert list(found) == ["MAE", "RMSE", "R2"]
    assert 4 < found["RMSE"] < 7.5  # the noise has a deviation of 5
    with (tmp_path / "run" / "split.csv").open() as file:
        rows = [int(row["example"].split()[1]) - 2 for row in csv.DictReader(file) if row["part"] == "test"]
    model = fc.saving.load_model(tmp_path / "run" / "model.safetensors")  # takes raw features
    error = model.predict(X[rows].astype("float32"), verbose=0)[:, 0] - PRICE[rows]
    assert found["RMSE"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-3)
    assert found["MAE"] == pytest.approx(np.abs(error).mean(), rel=1e-3)
    assert found["R2"] == pytest.approx(1 - (error**2).mean() / PRICE[rows].var(), abs=1e-3)

    written(tmp_path / "new.csv", ["rent", "rooms", "west"], X[:3, [2, 0, 1]].tolist())  # in another order
    told = json.loads(fastcnn("predict", "run", "new.csv", "--json").stdout)
    assert [one["line"] for one in told] == [2, 3, 4]
    values = [one["predictions"][0]["value"] for one in told]
    assert np.allclose(values, model.predict(X[:3].astype("float32"), verbose=0)[:, 0], rtol=1e-5)
    lacking = fastcnn("predict", "run", written(tmp_path / "less.csv", ["rent", "rooms"], X[:3, :2].tolist()))
    assert lacking.returncode == 3
    assert "less.csv, line 1: expected the columns rooms, west, rent" in only_line(lacking.stderr)

    on = fastcnn("train", "--from", "run", "--epochs", 1, "--lr", 1e-9, "--seed", 1, "--out", "on")
    assert on.returncode == 0, on.stderr
    after = fc.saving.load_model(tmp_path / "on" / "model.safetensors")
    assert [layer.name for layer in after.layers] == [layer.name for layer in model.layers]
    assert np.allclose(after.predict(X.astype("float32"), verbose=0), model.predict(X.astype("float32"), verbose=0),
                       rtol=1e-5)  # fmt: skip


def test_several_numbers_and_whole_ones_are_learned_if_asked(fastcnn, prices, tmp_path):
    result = fastcnn("train", "--dataset", prices, "--label", "price,tax", "--ignore", "house", "--epochs", 20,
                     "--loss", "huber", "--seed", 1, "--out", "two")
    assert result.returncode == 0, result.stderr
    assert re.search(r"^dev mean R2 0\.9", result.stdout, re.M)
    assert 'loss = "huber"' in (tmp_path / "two" / "config.toml").read_text()
    assert fastcnn("evaluate", "two", "--part", "dev").stdout.splitlines()[-1] == result.stdout.splitlines()[-1]
    again = fastcnn("train", "--config", "two/config.toml", "--out", "again")
    assert again.returncode == 0, again.stderr
    one, other = ((tmp_path / run / "model.safetensors").read_bytes() for run in ("two", "again"))
    assert one == other


def test_unknown_labels_are_neither_learned_nor_counted(fastcnn, habits, tmp_path):
    result = fastcnn("train", "--dataset", habits, "--seed", 3, "--epochs", 60, "--out", "run")
    assert result.returncode == 0, result.stderr
    assert "rows of 3 features, 3 labels" in result.stdout
    tested = fastcnn("evaluate", "run")
    found = figures_of(tested.stdout, "test")
    assert list(found) == ["loss", "accuracy", "mean F1"]
    with (tmp_path / "run" / "split.csv").open() as file:
        tested = [row for row in csv.DictReader(file) if row["part"] == "test"]
    rows = {int(row["example"].split()[1]) - 2: row["label"] for row in tested}
    index = list(rows)
    assert rows[index[0]] == " ".join("?" if not known else str(int(yes))
                                      for yes, known in zip(YES[index[0]], KNOWN[index[0]]))  # fmt: skip
    model = fc.saving.load_model(tmp_path / "run" / "model.safetensors")
    p = model.predict(X[index].astype("float32"), verbose=0)
    known, yes = KNOWN[index], YES[index]
    assert found["accuracy"] == pytest.approx(((p > 0.5) == yes)[known].mean(), abs=1e-4)
    assert found["loss"] == pytest.approx(-np.log(np.where(yes, p, 1 - p)[known]).mean(), abs=1e-3)
    assert found["accuracy"] > 0.85
    with open(tmp_path / "run" / "history.jsonl") as file:
        assert json.loads(file.readlines()[-1])["accuracy"] > 0.85  # unknown ones would be mistakes: at most 0.7
    checked = fastcnn("data", "check", habits)
    assert checked.returncode == 0
    line = next(line for line in checked.stdout.splitlines() if line.startswith(" label_x"))
    assert sum(map(int, re.findall(r"\d+", line))) == 240


def test_pictures_have_numbers_and_labels_too(fastcnn, tmp_path):
    image = pytest.importorskip("PIL.Image")
    for k in range(30):
        image.fromarray(DRAW.integers(0, 8 * (k + 1), (6, 6), dtype=np.uint8)).save(tmp_path / f"{k}.png")
    written(tmp_path / "t.csv", ["file", "light", "dark", "odd"],
            [[f"{k}.png", k / 3, int(k < 9), "" if k % 3 else k % 2] for k in range(30)])  # fmt: skip
    checked = fastcnn("data", "check", "t.csv", "--label", "light")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert re.search(r"^ light +train +18 +\d", checked.stdout, re.M)
    learn = ("train", "--dataset", "t.csv", "--epochs", 30, "--seed", 1)
    result = fastcnn(*learn, "--label", "light", "--model", "linear_regression", "--loss", "mae", "--out", "light")
    assert result.returncode == 0, result.stderr
    assert "images of 6x6x1, to tell light" in result.stdout
    told = fastcnn("predict", "light", "0.png", "29.png").stdout.splitlines()[::2]
    darkest, lightest = (float(line.split("light ")[1]) for line in told)
    assert darkest < 4 < 6 < lightest  # of 0 and 9.67
    result = fastcnn(*learn, "--label", "dark,odd", "--model", "logistic_regression", "--out", "labels")
    assert result.returncode == 0, result.stderr
    line = fastcnn("predict", "labels", "0.png").stdout.splitlines()[0]
    assert re.fullmatch(r"0.png   dark \d+.\d%   odd \d+.\d%", line)
    drawn = fastcnn("data", "show", "t.csv", "--label", "light", "--augment", "mirror", "--images", 2)
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "pictures.png").stat().st_size > 200


def test_a_table_of_features_is_packed_and_folded_with_its_groups(fastcnn, tmp_path):
    written(tmp_path / "t.csv", ["person", "a", "b", "kind"],
            [[k % 20, *x[:2], "red" if x[0] > 5 else "blue"] for k, x in enumerate(X.tolist())])  # fmt: skip
    packed = fastcnn("data", "pack", "t.csv", "packed", "--label", "kind", "--ignore", "person")
    assert packed.returncode == 0, packed.stderr
    data = fc.datasets.load(tmp_path / "packed")
    assert (data.features, data.classes, data.task) == (("a", "b"), ("blue", "red"), "classification")
    result = fastcnn("train", "--dataset", "t.csv", "--label", "kind", "--group-by", "person", "--folds", 2,
                     "--epochs", 2, "--test", 0.2, "--out", "folds")
    assert result.returncode == 0, result.stderr
    with (tmp_path / "folds" / "fold-1" / "split.csv").open() as file:
        rows = list(csv.DictReader(file))
    where = {}
    for row in rows:
        where.setdefault(row["group"], set()).add(row["part"])
    assert len(where) == 20
    assert all(len(parts) == 1 for parts in where.values())
    assert re.search(r"^dev accuracy \S+, spread", result.stdout, re.M)


@pytest.mark.parametrize(("args", "code", "said"), [
    (("--label", "prise"), 2, "column: 'prise' is not known; did you mean 'price'?"),
    (("--label", "price"), 3, "line 2, column house: expected a finite number, as features are, got 'h0'"),
    (("--label", "price", "--ignore", "house", "--model", "convnet"), 2, "convnet: expected a network of features"),
    (("--label", "price", "--ignore", "house", "--model", "logistic_regression"), 2, "as linear_regression"),
    (("--label", "house", "--loss", "mse"), 3, "line 2, column house: expected a finite number to learn, got 'h0'"),
    (("--label", "price", "--ignore", "house", "--augment", "mirror"), 2, "--augment: expected images"),
    (("--label", "price", "--ignore", "house", "--label-smoothing", 0.1), 2, "--label-smoothing: expected labels"),
    (("--label", "price", "--ignore", "house", "--size", 8), 2, "--size: expected a folder of pictures or a table"),
    (("--dataset", "digits", "--label", "price"), 2, "--label: expected a table, a .csv file"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_is_made(fastcnn, prices, tmp_path, args, code, said):
    result = fastcnn("train", "--dataset", prices, *args, "--out", "run")
    assert result.returncode == code
    assert said in only_line(result.stderr)
    assert not (tmp_path / "run").exists()


def test_the_area_under_the_curve_is_that_of_pairs():
    draw = np.random.default_rng(1)
    p, yes = draw.integers(0, 9, 60) / 8, draw.random(60) < 0.4
    pairs = np.sign(p[yes][:, None] - p[~yes]).mean() / 2 + 0.5
    assert _multilabel.area(p, yes) == pytest.approx(pairs, abs=1e-12)
    assert np.isnan(_multilabel.area(p, yes & False))


def test_figures_of_numbers_are_those_of_their_definitions():
    y = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    task = _regression.Regression("mse", _regression.Unit(np.zeros(2), np.ones(2)))
    found = task.measure(y + np.array([[1], [0], [-1]]), y)
    assert found.mae.tolist() == pytest.approx([2 / 3] * 2)
    assert found.rmse.tolist() == pytest.approx([(2 / 3) ** 0.5] * 2)
    assert found.r2.tolist() == pytest.approx([1 - 2 / (14 / 3), 0])  # of equal targets it is 0, or 1 if they are met
