"""Runs that see: boxes are trained, measured, predicted, exported, gone on with; what cannot be meant is refused."""

import hashlib
import importlib.util
import json
import re
import signal
from typing import get_args

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.cli import _options, _run_callbacks, main
from fastcnn.cli._seeing import recipes
from fastcnn.datasets.annotated.box_forms import Form
from fastcnn.vision import detection, load, rcnn
from tests.datasets import annotated_files as files

image = pytest.importorskip("PIL.Image")
BOXES = [("cat", 10, 10, 40, 30), ("dog", 0, 0, 20, 39)]
SMALL = ("--model", "yolo(filters=2, blocks=0, anchors=1)", "--epochs", 2, "--seed", 3)


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """Return a folder of ten pictures with boxes, one of them with none."""
    return files.voc(tmp_path_factory.mktemp("data") / "pets", [[] if k == 6 else BOXES[: 1 + k % 2]
                                                                for k in range(10)])


@pytest.fixture
def fastcnn(tmp_path, monkeypatch, capsys):
    """Run ``fastcnn ARGS`` in this process; return the exit code, its output and its errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")

    def run(*args):
        code = main([*map(str, args)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def trained(pets, tmp_path_factory):
    """Return the folder of a run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main(["train", "--dataset", str(pets), *map(str, SMALL), "--out", str(folder), "--quiet"]) == 0
    return folder


def digest(run):
    return hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()


def test_names_on_the_command_line_are_those_of_the_recipes_and_readers():
    assert tuple(recipes.RECIPES) == _options.SEEING
    assert get_args(Form) == _options.BOX_FORMS
    for name in recipes.RECIPES:
        assert {"seed", "epochs", "optimizer", "learning_rate"} <= recipes.defaults_of(name).keys()


def test_training_ends_with_the_mean_average_precision_of_dev(fastcnn, pets, tmp_path):
    code, output, errors = fastcnn("train", "--dataset", pets, *SMALL, "--out", "run")
    assert (code, errors) == (0, "")
    lines = output.splitlines()
    assert lines[0] == "data   pets: 6 training, 2 dev and 2 test pictures, boxes of cat, dog"
    assert "note   prior boxes " in output
    assert [line.split()[0] for line in lines if line.startswith((" cat", " dog"))] == ["cat", "dog"]
    threshold = fc.vision.detection.Detector.load(tmp_path / "run" / "model.safetensors").score_threshold
    assert f"boxes with a score above {threshold:.3f} are told" in lines
    assert "drawn in run/found-dev.png" in lines
    assert float(lines[-1].removeprefix("dev mAP@0.5 ")) >= 0
    with image.open(tmp_path / "run" / "found-dev.png") as page:
        assert page.size[0] > 2 * 60
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "config.json", "config.toml", "found-dev.png", "history.jsonl", "model.safetensors", "split.csv"}
    parts = [line.split(",")[0] for line in (tmp_path / "run" / "split.csv").read_text().splitlines()[1:]]
    assert sorted(parts) == ["dev"] * 2 + ["test"] * 2 + ["train"] * 6


def test_the_file_of_a_run_trains_the_same_again_and_its_model_is_a_detector(fastcnn, trained):
    assert fastcnn("train", "--config", trained / "config.toml", "--out", "again", "--json")[0] == 0
    detector = load("again/model.safetensors")
    assert isinstance(detector, detection.Detector)
    assert (detector.classes, detector.cells.size) == (("cat", "dog"), (32, 64))
    assert all(np.array_equal(a, b) for a, b in zip(detector.model.get_weights(),
                                                    load(trained / "model.safetensors").model.get_weights()))


def pressed_after(epochs, monkeypatch):
    """Press Ctrl-C when an epoch is over."""
    end = _run_callbacks.HistoryFile.on_epoch_end

    def pressed(self, epoch, logs):
        end(self, epoch, logs)
        if epoch + 1 == epochs:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_run_callbacks.HistoryFile, "on_epoch_end", pressed)


def test_a_training_that_is_stopped_goes_on_to_the_same_bits(fastcnn, pets, trained, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        pressed_after(1, patch)
        code, output, _ = fastcnn("train", "--dataset", pets, *SMALL, "--out", "run", "--resume", "auto")
    assert code == 130
    assert "stopped in epoch 2 after step 1; run saved in run" in output
    code, output, _ = fastcnn("train", "--out", "run", "--resume", "auto")
    assert code == 0
    assert digest(tmp_path / "run") == digest(trained)
    assert (tmp_path / "run" / "history.jsonl").read_text().count("\n") == 2


def test_several_seeds_are_measured_again_where_they_are_complete(fastcnn, pets):
    code, output, errors = fastcnn("train", "--dataset", pets, *SMALL[:2], "--epochs", 1, "--seed", 3, "--seeds", 2,
                                   "--out", "two", "--resume", "auto")
    assert (code, errors) == (0, "")
    assert output.splitlines()[-1].startswith("dev mAP@0.5 ")
    code, again, errors = fastcnn("train", "--out", "two", "--resume", "auto")
    assert (code, errors) == (0, "")
    assert again.splitlines()[-1] == output.splitlines()[-1]


def test_a_training_that_diverges_ends_with_the_step_the_picture_and_the_part_of_the_loss(fastcnn, pets, tmp_path):
    code, _, errors = fastcnn("train", "--dataset", pets, *SMALL, "--lr", 1e30, "--optimizer", "sgd", "--out", "run")
    assert code == 4
    assert re.fullmatch(r"fastcnn: training: expected a finite loss, got \S+ in epoch \d, step \d, in its [a-z, ]+ of "
                        r"JPEGImages/p\d\.png; nothing was saved, try a smaller --lr than 1e\+30\n", errors)
    assert not (tmp_path / "run").exists()


def test_evaluate_counts_looks_at_test_and_tells_programs_every_figure(fastcnn, trained):
    code, output, errors = fastcnn("evaluate", trained)
    assert (code, errors) == (0, "")
    assert "note   first look at these test images" in output
    figures = [line.rpartition(" ")[0] for line in output.splitlines()[-2:]]
    assert figures == ["test mAP@0.5:0.95", "test mAP@0.5"]
    assert (trained / "found-test.png").exists()
    code, output, _ = fastcnn("evaluate", trained, "--part", "dev", "--json")
    found = json.loads(output)
    assert (found["part"], found["images"]) == ("dev", 2)
    assert {"AP", "AP50", "AP75", "cat", "dog", "mAP@0.5"} <= found.keys()
    assert fastcnn("evaluate", trained, "--part", "dev", "--quiet")[1] == f"dev mAP@0.5 {found['mAP@0.5']:.4f}\n"


def test_limits_of_a_detector_are_of_its_costs_and_its_own_figures(fastcnn, trained):
    limits = ("latency_ms<=1e5", "memory_mb<=1e-3", "mAP@0.5>=0", "AP75<-1")
    asked = [word for one in limits for word in ("--subject-to", one)]
    code, output, _ = fastcnn("evaluate", trained, "--part", "dev", "--json", *asked)
    found = json.loads(output)
    assert code == 0
    assert [(one["limit"].split("<")[0].split(">")[0], one["is_kept"]) for one in found["limits"]] == [
        ("latency_ms", True), ("memory_mb", False), ("mAP@0.5", True), ("AP75", False)]
    assert found["limits"][0]["value"] > 0
    assert found["limits"][2]["value"] == found["AP50"]
    assert "limit  AP50>=0: " in fastcnn("evaluate", trained, "--part", "dev", "--subject-to", "AP50>=0")[1]
    for limit, sentence in (("recall>=0.9", "'recall' is not known"), ("AP5>=0", "did you mean 'AP"),
                            ("AP50", "expected a figure, <= or >=, and a number")):
        code, _, errors = fastcnn("evaluate", trained, "--part", "dev", "--subject-to", limit)
        assert (code, sentence in errors) == (2, True), errors


def test_predict_draws_what_it_finds_and_tells_it(fastcnn, pets, trained, tmp_path):
    picture = pets / "JPEGImages" / "p0.png"
    code, output, errors = fastcnn("predict", trained, picture, "--out", "found.png", "--threshold", 0)
    assert (code, errors) == (0, "")
    assert output.splitlines()[0] == "drawn in found.png"
    assert "cat" in output.splitlines()[-1]
    with image.open("found.png") as drawn, image.open(picture) as plain:
        assert (np.asarray(drawn.convert("RGB")) != np.asarray(plain)).any()
    (tmp_path / "bad.png").write_bytes(picture.read_bytes()[:200])
    code, output, errors = fastcnn("predict", trained, picture, "bad.png", "--json", "--threshold", 0)
    first, second = json.loads(output)
    assert code == 3
    assert first["boxes"][0]["class"] in ("cat", "dog")
    assert len(first["boxes"][0]["box"]) == 4
    assert first["drawn"] == str(trained / "found-p0.png")
    assert second["error"].startswith("bad.png: expected a whole picture")


def test_a_run_that_sees_becomes_an_onnx_file_with_boxes_or_the_best_of_them(fastcnn, trained):
    onnx = pytest.importorskip("onnx")
    assert fastcnn("export-onnx", trained, "all.onnx")[0] == fastcnn("export-onnx", trained, "best.onnx",
                                                                    "--suppress")[0] == 0
    kinds = [[node.op_type for node in onnx.load(name).graph.node] for name in ("all.onnx", "best.onnx")]
    assert ["NonMaxSuppression" in of_file for of_file in kinds] == [False, True]
    assert len(onnx.load("all.onnx").graph.output) == 2


def test_a_network_of_two_stages_is_trained_measured_and_exported_as_one_of_one_stage(fastcnn, pets, tmp_path):
    small = "faster_rcnn(filters=2, anchors=1, regions=8, hidden=8)"
    code, output, errors = fastcnn("train", "--dataset", pets, "--model", small, "--epochs", 1, "--seed", 3, "--out",
                                   "run")
    assert (code, errors) == (0, "")
    assert float(output.splitlines()[-1].removeprefix("dev mAP@0.5 ")) >= 0
    assert isinstance(load("run/model.safetensors"), rcnn.RegionDetector)
    code, output, _ = fastcnn("evaluate", "run", "--part", "dev", "--json")
    assert {"AP50", "cat", "dog"} <= json.loads(output).keys()
    assert fastcnn("predict", "run", pets / "JPEGImages" / "p0.png", "--threshold", 0)[0] == 0
    assert fastcnn("train", "--from", "run", "--epochs", 1, "--out", "more", "--seed", 1)[0] == 0
    pytest.importorskip("onnx")
    assert fastcnn("export-onnx", "run", "best.onnx", "--suppress")[0] == 0


def test_training_goes_on_from_a_run_with_its_cells_and_parts(fastcnn, trained, tmp_path):
    code, _, _ = fastcnn("train", "--from", trained, "--epochs", 1, "--out", "more", "--seed", 1)
    assert code == 0
    assert (trained / "split.csv").read_bytes() == (tmp_path / "more" / "split.csv").read_bytes()
    places = [load(run / "model.safetensors").cells.places for run in (tmp_path / "more", trained)]
    assert np.array_equal(*places)
    assert json.loads((tmp_path / "more" / "config.json").read_text())["from"] == str(trained)


@pytest.mark.parametrize(("options", "sentence"), [
    (("--dropout", 0.2), "--dropout: expected none for yolo, since its recipe has none; leave it out"),
    (("--folds", 3), "--folds: expected none for yolo, since folds are dealt by classes; leave it out"),
    (("--fit", "pad"), "--fit: expected none for yolo, since pictures keep their shape; leave it out"),
    (("--from-files",), "--from-files: expected none for yolo, since its pictures are put into one size first"),
    (("--skip-damaged",), "--skip-damaged: expected none for yolo, --drop-bad leaves out what has faults"),
    (("--batch-size", "all"), "--batch-size all: expected a number of pictures for yolo, got all"),
    (("--augment", "crop"), "--augment crop: expected off, or layers as calls, got the name of changes"),
    (("--size", "100"), "expected a size of multiples of 8, 16, 32, got (100, 100)"),
    (("--test", 0.2), "--test: expected none, as pets has its own test part of 2 pictures, got 0.2; 0 trains on it"),
    (("--model", "lenet5"),
     "--model lenet5: expected yolo or faster_rcnn for {pets}, whose pictures have boxes, got another"),
    (("--model", "yolo(filter=3)"), "argument: 'filter' is not known; did you mean 'filters'?"),
    (("--model", "yolo(seed=3)"), "expected no seed, which has a flag of its own; leave it out"),
    (("--model", "yolo(3)"), "expected arguments by name"),
    (("--dev", 0, "--patience", 2), "--patience: expected a dev part, whose loss is looked at, got --dev 0"),
])
def test_what_an_option_cannot_mean_is_refused_before_anything_is_trained(fastcnn, pets, options, sentence, tmp_path):
    code, output, errors = fastcnn("train", "--dataset", pets, *options, "--out", "run")
    assert (code, output) == (2, "")
    assert sentence.format(pets=pets) in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("--model", "yolo", "--dataset", "digits"),
     "--model yolo: expected a data set of pictures with boxes, got digits, which has classes"),
    (("--model", "yolo"), "yolo: expected --dataset with pictures that have boxes, got none"),
    (("--model", "yolo", "--dataset", "nowhere"), "--dataset nowhere: expected bccd, nuclei-dsb2018, omniglot or the "),
    (("--dataset", "digits", "--drop-bad"), "--drop-bad: expected pictures with boxes, masks or persons, got digits"),
])
def test_data_that_a_network_cannot_see_are_refused(fastcnn, arguments, sentence):
    code, output, errors = fastcnn("train", *arguments)
    assert (code, output) == (2, "")
    assert sentence in errors


def test_faults_of_the_data_are_one_line_and_exit_code_3_unless_they_may_be_left_out(fastcnn, tmp_path):
    files.voc(tmp_path / "bad", [BOXES, [("cat", 5, 5, 5, 9)], BOXES, BOXES, BOXES, BOXES])
    code, _, errors = fastcnn("train", "--dataset", "bad", *SMALL, "--out", "run")
    assert code == 3
    assert "Annotations/p1.xml, line 4, box 1: has no area" in errors
    assert errors.count("\n") == 1
    code, output, _ = fastcnn("train", "--dataset", "bad", *SMALL, "--drop-bad", "--out", "run")
    assert code == 0
    assert "note   1 box left out" in output
    assert fastcnn("evaluate", "run", "--quiet")[0] == 0  # as the run was trained
    empty = files.voc(tmp_path / "empty", [[], [], [], []])
    code, _, errors = fastcnn("train", "--dataset", empty, "--out", "none")
    assert (code, errors.count("\n")) == (3, 1)


def test_what_a_run_that_sees_is_not_for_is_refused(fastcnn, trained, pets):
    picture = pets / "JPEGImages" / "p0.png"
    assert "expected a network that tells classes" in fastcnn("explain", trained, picture)[2]
    assert "--top: expected a model of classes" in fastcnn("predict", trained, picture, "--top", 3)[2]
    assert "which has classes; name another" in fastcnn("evaluate", trained, "--dataset", "digits")[2]
    assert "--white: expected none for" in fastcnn("evaluate", trained, "--white", 255)[2]
    assert "sees; name it alone" in fastcnn("evaluate", trained, trained)[2]
    code, output, _ = fastcnn("summary", trained)
    assert code == 0
    assert 'Model "yolo", input (N, 32, 64, 3)' in output


@pytest.fixture(scope="module")
def spots(tmp_path_factory):
    """Return a folder of ten pictures with a bright square each, and masks of objects."""
    root, draw = tmp_path_factory.mktemp("data") / "spots", np.random.default_rng(5)
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    for k in range(10):
        pixels, mask = draw.integers(0, 60, (40, 44), dtype=np.uint8), np.zeros((40, 44), np.uint8)
        for number, left in enumerate((4, 24), 1):
            pixels[8 + k:20 + k, left:left + 12] = 220
            mask[8 + k:20 + k, left:left + 12] = number
        image.fromarray(pixels).save(root / "images" / f"{k}.png")
        image.fromarray(mask).save(root / "masks" / f"{k}.png")
    return root


def test_pixels_are_trained_measured_predicted_and_exported(fastcnn, spots, tmp_path):
    pytest.importorskip("skimage")
    small = ("--model", "unet(filters=4, depth=1)", "--size", 32, "--epochs", 2, "--seed", 2, "--out", "run")
    code, output, errors = fastcnn("train", "--dataset", spots, *small)
    assert (code, errors) == (0, "")
    assert output.startswith("data   spots: 6 training, 2 dev and 2 test pictures, masks of object\n")
    assert fastcnn("evaluate", "run", "--part", "dev", "--quiet")[1] == f"{output.splitlines()[-1]}\n"
    assert 0 < float(output.splitlines()[-1].removeprefix("dev Dice ")) < 1
    assert (tmp_path / "run" / "found-dev.png").exists()
    assert [line.rpartition(" ")[0] for line in fastcnn("evaluate", "run")[1].splitlines()[-5:]] == [
        "test PQ", "test AP@0.7", "test AP@0.5", "test IoU", "test Dice"]
    limits = ("--subject-to", "latency_ms<=1e5", "--subject-to", "Dice>=0")
    told = json.loads(fastcnn("evaluate", "run", *limits, "--json")[1])
    assert [one["is_kept"] for one in told["limits"]] == [True, True]
    told = json.loads(fastcnn("predict", "run", spots / "images" / "4.png", "--json")[1])[0]
    assert told["objects"][0]["class"] == "object"
    assert 0 < told["share"] < 1
    pytest.importorskip("onnx")
    assert "--size: expected one for run" in fastcnn("export-onnx", "run", "a.onnx")[2]
    assert fastcnn("export-onnx", "run", "a.onnx", "--size", "40x32")[0] == 0
    for options, sentence in ((("--size", "64x32"), "--size 64x32: expected one number for unet"),
                              (("--augment", "RandomFlip()"), "--augment: expected none for unet, whose recipe has")):
        assert sentence in fastcnn("train", "--dataset", spots, *options)[2]


def test_objects_are_marked_by_a_mask_rcnn_as_well(fastcnn, spots):
    small = "mask_rcnn(filters=2, anchors=1, regions=8, hidden=8, mask_filters=4)"
    code, output, errors = fastcnn("train", "--dataset", spots, "--model", small, "--epochs", 1, "--seed", 2, "--out",
                                   "run")
    assert (code, errors) == (0, "")
    assert float(output.splitlines()[-1].removeprefix("dev Dice ")) >= 0
    assert isinstance(load("run/model.safetensors"), rcnn.RegionSegmenter)
    assert fastcnn("evaluate", "run", "--part", "dev", "--quiet")[1] == f"{output.splitlines()[-1]}\n"
    assert fastcnn("predict", "run", spots / "images" / "4.png", "--json")[0] == 0
    assert fastcnn("train", "--from", "run", "--epochs", 1, "--out", "more", "--seed", 1)[0] == 0


@pytest.fixture(scope="module")
def persons(tmp_path_factory):
    """Return a folder of fifteen persons with four pictures each, of a ground of their own."""
    root, draw = tmp_path_factory.mktemp("data") / "persons", np.random.default_rng(6)
    for k in range(15):
        (root / f"p{k:02}").mkdir(parents=True)
        for number in range(4):
            pixels = np.clip(draw.integers(0, 30, (20, 24)) + 15 * k, 0, 255).astype(np.uint8)
            image.fromarray(pixels).save(root / f"p{k:02}" / f"{number}.png")
    return root


def test_persons_are_trained_by_name_and_told_apart_in_pairs(fastcnn, persons, tmp_path):
    small = ("--model", "siamese(filters=4, embedding_size=8)", "--size", 16, "--epochs", 2, "--batch-size", 16,
             "--seed", 2, "--out", "run")
    code, output, errors = fastcnn("train", "--dataset", persons, *small)
    assert code == 0, errors
    assert "note   the threshold is chosen on pairs of 3 classes that are not learned" in output
    assert output.splitlines()[-1].startswith("dev one-shot accuracy ")
    rows = [line.split(",") for line in (tmp_path / "run" / "split.csv").read_text().splitlines()[1:]]
    parts = {label: {part for part, _, other, _ in rows if other == label} for _, _, label, _ in rows}
    assert len(parts) == 15
    assert all(len(of_one) == 1 for of_one in parts.values())
    figures = [line.rpartition(" ")[0] for line in fastcnn("evaluate", "run")[1].splitlines()[-2:]]
    assert figures == ["test verification accuracy", "test one-shot accuracy"]
    assert "limit  latency_ms<=100000: " in fastcnn("evaluate", "run", "--subject-to", "latency_ms<=1e5")[1]
    same = [persons / "p04" / f"{k}.png" for k in (0, 0)]
    assert fastcnn("predict", "run", *same)[1].endswith(
        f"the same as in {same[0]}: distance 0.0000, threshold {load('run/model.safetensors').threshold:.4f}\n")
    assert "expected two pictures or more" in fastcnn("predict", "run", same[0])[2]
    if importlib.util.find_spec("jinja2") is not None:
        code, output, errors = fastcnn("report", "run", "--out", "page.html")
        assert (code, errors) == (0, "")
        text = (tmp_path / "page.html").read_text()
        assert "verification accuracy" in text
        assert "Taken for somebody else" in text
    assert "--group-by: expected none for siamese" in fastcnn("train", "--dataset", persons, "--model", "siamese",
                                                            "--group-by", "p")[2]


def test_a_report_shows_the_worst_pictures_and_refuses_what_is_of_classes(fastcnn, trained, tmp_path):
    pytest.importorskip("jinja2", reason="needs the extra fastcnn[report]")
    code, output, errors = fastcnn("report", trained, "--out", "page.html")
    assert (code, errors) == (0, "")
    assert output.splitlines()[-1] == "report in page.html"
    text = (tmp_path / "page.html").read_text()
    assert 'id="found"' in text
    assert "AP@0.5" in text
    (tmp_path / "tags.json").write_text("{}")
    code, _, errors = fastcnn("report", trained, "--out", "page.html", "--tags", "tags.json")
    assert code == 2
    assert "expected a run with classes for --tags, --corrections and --by, got detection" in errors
    assert "AP looks at all boxes by their scores" in text


@pytest.mark.parametrize("network", ["unet", "siamese"])
def test_a_training_in_batches_of_its_own_goes_on_to_the_same_bits(fastcnn, spots, persons, tmp_path, monkeypatch,
                                                                   network):
    if network == "unet":
        pytest.importorskip("skimage")
        asked = ("--dataset", spots, "--model", "unet(filters=4, depth=1)", "--size", 32, "--batch-size", 3)
    else:
        asked = ("--dataset", persons, "--model", "siamese(filters=4, embedding_size=8)", "--size", 16,
                 "--batch-size", 16)
    asked = ("train", *asked, "--epochs", 3, "--seed", 4, "--resume", "auto", "--out")
    assert fastcnn(*asked, "whole")[0] == 0
    with monkeypatch.context() as patch:
        pressed_after(1, patch)
        assert fastcnn(*asked, "run")[0] == 130
    assert fastcnn("train", "--out", "run", "--resume", "auto")[0] == 0
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")
