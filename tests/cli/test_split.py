"""Parts on the command line: made, written down, held to, and the test part looked at knowingly."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import only_line


def rows_of(run):
    with (Path(run) / "split.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def pictures(tmp_path):
    """Return a folder of two classes, brighter and darker, of ten patients with four pictures each."""
    image = pytest.importorskip("PIL.Image")
    draw = np.random.default_rng(0)
    for name, ground in (("bright", 150), ("dark", 20)):
        folder = tmp_path / "pictures" / name
        folder.mkdir(parents=True)
        for k in range(20):
            pixels = draw.integers(ground, ground + 90, (8, 8), dtype=np.uint8)
            image.fromarray(pixels).save(folder / f"patient-{k // 4 if name == 'dark' else 5 + k // 4}-{k}.png")
    return tmp_path / "pictures"


def test_every_image_is_in_one_part_and_the_file_says_which(run):
    rows = rows_of(run)
    parts = {part: [row["example"] for row in rows if row["part"] == part] for part in ("train", "dev", "test")}
    assert {part: len(names) for part, names in parts.items()} == {"train": 1083, "dev": 359, "test": 355}
    assert len({row["example"] for row in rows}) == 1797
    assert parts["test"][7] == "x_test[7]"
    for label in "0123456789":
        assert 34 <= sum(row["part"] == "dev" and row["label"] == label for row in rows) <= 38


def test_looks_at_the_test_part_are_counted(fastcnn, run, tmp_path):
    shutil.copytree(run, tmp_path / "own")
    told = [fastcnn("evaluate", "own").stdout.splitlines() for _ in range(2)]
    assert "note   first look at these test images" in told[0]
    assert any(line.startswith("note   look number 2 at these test images") for line in told[1])
    assert told[0][-1] == told[1][-1]
    looks = [json.loads(line) for line in (tmp_path / "own" / "looks.jsonl").read_text().splitlines()]
    assert [look["images"] for look in looks] == [355, 355]
    assert looks[0]["accuracy"] == pytest.approx(float(told[0][-1].split()[-1]), abs=1e-4)
    fastcnn("evaluate", "own", "--part", "dev")
    assert len((tmp_path / "own" / "looks.jsonl").read_text().splitlines()) == 2


def test_a_part_that_there_is_not_is_refused(fastcnn, run):
    result = fastcnn("evaluate", run, "--part", "train-dev")
    assert result.returncode == 2
    assert "expected a part train_dev, got train, dev, test alone" in only_line(result.stderr)


def test_patients_stay_in_one_part_and_evaluate_finds_the_same_pictures(fastcnn, pictures):
    result = fastcnn("train", "--dataset", pictures, "--epochs", 1, "--group-by", r"patient-\d+", "--train-dev", 0.2,
                     "--seed", 3, "--out", "run")  # fmt: skip
    assert result.returncode == 0, result.stderr
    rows = rows_of(pictures.parent / "run")
    assert {row["part"] for row in rows} == {"train", "train_dev", "dev", "test"}
    where = {}
    for row in rows:
        assert row["group"] == re.search(r"patient-\d+", row["example"])[0]
        where.setdefault(row["group"], set()).add(row["part"])
    assert len(where) == 10
    assert all(len(parts) == 1 for parts in where.values())
    again = fastcnn("evaluate", "run", "--part", "dev")
    assert again.stdout.splitlines()[-1] == result.stdout.splitlines()[-1]
    (pictures / "dark" / "patient-0-0.png").unlink()
    gone = fastcnn("evaluate", "run")
    assert gone.returncode == 3
    assert "got 1 that are gone: dark/patient-0-0.png" in only_line(gone.stderr)


def test_training_on_keeps_the_split(fastcnn, run, tmp_path):
    result = fastcnn("train", "--from", run, "--epochs", 1, "--seed", 99, "--out", "on")
    assert result.returncode == 0
    assert rows_of(tmp_path / "on") == rows_of(run)
    refused = fastcnn("train", "--from", run, "--epochs", 1, "--dev", 0.1)
    assert refused.returncode == 2
    assert "--dev and --from exclude one another" in only_line(refused.stderr)


def test_without_dev_all_is_trained_on(fastcnn, tmp_path):
    result = fastcnn("train", "--epochs", 1, "--dev", 0, "--out", "run")
    assert result.returncode == 0
    assert "1,442 training and 355 test images" in result.stdout
    assert "accuracy" not in result.stdout.splitlines()[-1]
    assert "val_loss" not in (tmp_path / "run" / "history.jsonl").read_text()


def test_folds_are_each_dev_once(fastcnn, tmp_path):
    result = fastcnn("train", "--folds", 3, "--epochs", 2, "--seed", 5, "--out", "folds")
    assert result.returncode == 0, result.stderr
    dev = [{row["example"] for row in rows_of(tmp_path / "folds" / f"fold-{k}") if row["part"] == "dev"}
           for k in (1, 2, 3)]  # fmt: skip
    assert sum(map(len, dev)) == len(set.union(*dev)) == 1442
    found = json.loads((tmp_path / "folds" / "folds.json").read_text())["dev_accuracy"]
    mean, spread = map(float, re.search(r"^dev accuracy (\S+), spread (\S+) ", result.stdout, re.M).groups())
    assert (mean, spread) == (pytest.approx(np.mean(found), abs=1e-4), pytest.approx(np.std(found, ddof=1), abs=1e-4))


@pytest.mark.parametrize(("args", "said"), [
    (("--dev", 1.5), "from 0 to below 1"),
    (("--test", 0.1), "digits has its own test part"),
    (("--group-by", "x"), "a folder of pictures"),
    (("--folds", 3, "--dev", 0.1), "--folds and --dev exclude"),
    (("--dev", 0.7, "--train-dev", 0.5), "shares below 1 together"),
])  # fmt: skip
def test_what_is_no_split_is_refused_before_anything_is_made(fastcnn, tmp_path, args, said):
    result = fastcnn("train", *args, "--out", "run")
    assert result.returncode == 2
    assert said in only_line(result.stderr)
    assert not (tmp_path / "run").exists()


def test_check_names_what_is_wrong(fastcnn, pictures):
    image = pytest.importorskip("PIL.Image")
    assert fastcnn("data", "check", pictures).returncode == 0
    (pictures / "dark" / "bad.png").write_text("no picture")
    fresh = fastcnn("data", "check", pictures)
    assert fresh.returncode == 3
    assert re.search(r"^fault  .*bad\.png: expected a picture", fresh.stdout, re.M)
    (pictures / "dark" / "bad.png").unlink()
    for part in ("train", "test"):
        shutil.copytree(pictures, pictures.parent / "both" / part)
    for k, picture in enumerate(sorted((pictures.parent / "both" / "test").rglob("*.png"))):
        if k:  # the first stays the same
            pixels = np.random.default_rng(k).integers(0, 255, (8, 8), dtype=np.uint8)
            image.fromarray(pixels).save(picture)
    both = fastcnn("data", "check", pictures.parent / "both")
    assert both.returncode == 3
    assert "1 picture of test in train too, 1 to the pixel" in " ".join(both.stdout.split())


def test_own_data_with_the_same_picture_in_two_parts_is_told_in_training(fastcnn, tmp_path):
    draw = np.random.default_rng(1)
    x, y = draw.integers(0, 255, (40, 9, 9), dtype=np.uint8), np.arange(40) % 2
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
    result = fastcnn("train", "--dataset", "own.npz", "--epochs", 1, "--model", "mlp", "--dev", 0)
    assert result.returncode == 0, result.stderr
    assert "note   3 pictures of test in train too, 3 to the pixel" in result.stdout


def a_table(pictures, *, header, cells, name="table.csv"):
    """Write a table over the pictures; `cells` gives a picture's further values by its name."""
    files = sorted(pictures.rglob("*.png"))
    path = pictures.parent / name
    path.write_text("\n".join([header, *(",".join([file.relative_to(pictures.parent).as_posix(), file.parent.name,
                                                   *cells(file.stem)]) for file in files)]) + "\n")
    return path


def test_a_column_of_a_table_keeps_groups_together_and_weights_are_learned_by(fastcnn, pictures, tmp_path):
    def cells(name):
        return name.split("-")[1], str(int(name.split("-")[2]) % 3)

    a_table(pictures, header="file,label,patient,weight", cells=cells)
    learn = ("train", "--dataset", "table.csv", "--group-by", "patient", "--model", "logistic_regression", "--epochs",
             "1", "--seed", "1")
    result = fastcnn(*learn, "--out", "own")
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path / "own")
    assert len(rows) == 40
    assert rows[0]["example"].startswith("pictures/")
    assert all(row["group"] == row["example"].split("-")[1] for row in rows)
    parts = [{row["group"] for row in rows if row["part"] == part} for part in ("train", "dev", "test")]
    assert set.union(*parts) == set(map(str, range(10)))
    assert sum(map(len, parts)) == 10
    assert fastcnn("evaluate", "own").returncode == 0
    assert fastcnn("train", "--from", "own", "--epochs", "1", "--out", "more").returncode == 0
    assert rows_of(tmp_path / "more") == [row | {"group": ""} for row in rows]
    a_table(pictures, header="file,label,patient,weight", cells=lambda name: (cells(name)[0], "1"))
    fastcnn(*learn, "--out", "equal")
    one, other = ((tmp_path / run / "history.jsonl").read_text() for run in ("own", "equal"))
    assert json.loads(one.splitlines()[0])["loss"] != json.loads(other.splitlines()[0])["loss"]


def test_parts_of_a_table_are_the_parts_and_an_empty_group_is_refused(fastcnn, pictures, tmp_path):
    def part(name):
        return ("train", "train", "dev", "test")[int(name.split("-")[2]) % 4]

    a_table(pictures, header="file,label,split,patient", cells=lambda name: (part(name), ""))
    result = fastcnn("train", "--dataset", "table.csv", "--model", "logistic_regression", "--epochs", "1", "--out",
                     "own")
    assert result.returncode == 0, result.stderr
    assert all(row["part"] == part(Path(row["example"]).stem) for row in rows_of(tmp_path / "own"))
    result = fastcnn("data", "check", "table.csv", "--group-by", "patient")
    assert result.returncode == 3
    assert "table.csv, line 2: expected a group in the column patient, got an empty cell" in only_line(result.stderr)
    result = fastcnn("data", "check", "table.csv", "--group-by", "doctor")
    assert "and no column of file, label, split, patient is called so" in only_line(result.stderr)


def test_training_on_packed_pictures_has_the_bits_of_training_on_the_pictures(fastcnn, pictures, tmp_path):
    a_table(pictures, header="file,label,patient", cells=lambda name: name.split("-")[1:2])
    packed = fastcnn("data", "pack", "table.csv", "packed")
    assert packed.returncode == 0, packed.stderr
    assert "packed 40 images of 8x8x1 in packed" in packed.stdout
    for run, data in (("one", "table.csv"), ("other", "packed")):
        result = fastcnn("train", "--dataset", data, "--group-by", "patient", "--model", "logistic_regression",
                         "--epochs", 2, "--seed", 1, "--out", run)
        assert result.returncode == 0, result.stderr
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "other")
    losses = [[{name: value for name, value in json.loads(line).items() if "loss" in name or "accuracy" in name}
               for line in (tmp_path / run / "history.jsonl").read_text().splitlines()] for run in ("one", "other")]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 2
    told = [fastcnn("evaluate", run).stdout.splitlines()[-2:] for run in ("one", "other")]
    assert told[0] == told[1]


def test_a_pack_that_fails_leaves_nothing_and_takes_no_folder_of_others(fastcnn, pictures, tmp_path):
    (pictures / "dark" / "bad.png").write_bytes(b"no picture")
    result = fastcnn("data", "pack", "pictures", "packed")
    assert result.returncode == 3
    assert "bad.png: expected a picture" in only_line(result.stderr)
    assert not (tmp_path / "packed").exists()
    assert fastcnn("data", "pack", "pictures", "packed", "--skip-damaged").returncode == 0
    result = fastcnn("data", "pack", "pictures", "packed", "--skip-damaged")
    assert result.returncode == 2
    assert "packed" in only_line(result.stderr)
