"""Each example runs as a person would run it, in a process of its own, in a short mode."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import processes

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name, *arguments, **environment):
    """Return what an example prints; warnings are errors, as in all tests."""
    env = os.environ | {"PYTHONPATH": str(EXAMPLES.parent)} | environment
    if processes.can_be_forked(environment):
        process = processes.script(EXAMPLES / name, arguments, cwd=Path.cwd(), env=env)
    else:
        process = subprocess.run([sys.executable, "-W", "error", EXAMPLES / name, *map(str, arguments)], env=env,
                                 text=True, capture_output=True, timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout


def number(pattern, text):
    return float(re.search(pattern, text, re.MULTILINE)[1])


def is_picture(path):
    picture = path.read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) > 20_000


def test_mnist_learns_from_a_tenth_of_the_images(data_dir):
    printed = run("mnist.py", "--epochs", 1, "--images", 6000, FASTCNN_DATA=str(data_dir))
    assert number(r"^test accuracy (\S+)$", printed) > 0.75  # 0.84 to 0.87 for four seeds


def test_one_layer_ends_with_gradients_that_are_right():
    printed = run("one_layer.py", "--images", 4)
    assert number(r"^largest error of a gradient (\S+)$", printed) < 1e-6
    assert "times as fast" in printed


def test_filters_draws_a_picture_of_a_network_it_trains_and_of_a_saved_one(tmp_path):
    pytest.importorskip("matplotlib", reason='the picture needs matplotlib: pip install "fastcnn[plot]"')
    import fastcnn as fc

    printed = run("filters.py", "--epochs", 1, "--out", tmp_path / "trained.png")
    assert printed.splitlines()[-1] == str(tmp_path / "trained.png")
    fc.applications.LeNet().save(tmp_path / "model.safetensors")
    run("filters.py", "--run", tmp_path, "--out", tmp_path / "loaded.png")
    for name in ("trained.png", "loaded.png"):
        is_picture(tmp_path / name)


def test_the_script_of_keras_runs_with_its_import_lines_changed(data_dir, tmp_path):
    for path in sorted((data_dir / "mnist").glob("*-ubyte.gz")):  # the script says 15 epochs, so the data set is small
        sizes, kept = (16, 28 * 28) if "images" in path.name else (8, 1), 1000 if "train" in path.name else 500
        whole = gzip.decompress(path.read_bytes())
        short = whole[:4] + kept.to_bytes(4, "big") + whole[8:sizes[0]] + whole[sizes[0]:sizes[0] + kept * sizes[1]]
        (tmp_path / path.name).write_bytes(gzip.compress(short, 1))
    printed = run("keras_mnist_convnet.py", FASTCNN_DATA=str(tmp_path))
    assert "x_train shape: (1000, 28, 28, 1)" in printed
    assert "34,826" in printed  # the parameters, in the summary
    assert number(r"^Test loss: (\S+)$", printed) < 0.7  # 0.32
    assert number(r"^Test accuracy: (\S+)$", printed) > 0.8  # 0.90; without a seed it varies


def test_transfer_beats_a_start_from_nothing_on_few_images(data_dir):
    printed = run("transfer_learning.py", "--known", 800, "--test-images", 200, "--epochs", 2,
                  FASTCNN_DATA=str(data_dir))
    assert "the head alone learns: 645 of 94,565 parameters" in printed
    names = "from scratch", "of the head", ", fine-tuned"
    scratch, head, tuned = (number(rf"^test accuracy ?{name} +(\S+)$", printed) for name in names)
    assert min(head, tuned) > scratch > 0.35  # 0.49, 0.58 and 0.59; by chance 0.2


def test_a_network_of_others_tells_few_pictures_apart_better_than_one_from_nothing(data_dir, real_models):
    printed = run("transfer_few_pictures.py", "--seeds", 1, "--each", 5, "--epochs", 15, "--test-images", 200, "--side",
                  64, "--weights", real_models / "squeezenet1.1" / "squeezenet1.1.safetensors",
                  FASTCNN_DATA=str(data_dir))
    assert "seed 0: 5 pictures a class: transfer 0." in printed
    assert number(r"^transfer is better by (\S+) points", printed) > 5  # 17; in the whole example 27


def test_a_network_of_signals_learns_rhythms_and_draws_them(tmp_path):
    pytest.importorskip("matplotlib", reason='the picture needs matplotlib: pip install "fastcnn[plot]"')
    printed = run("signal_1d.py", "--recordings", 1000, "--epochs", 4, "--out", tmp_path / "signal.png")
    assert number(r"^test accuracy (\S+)$", printed) > 0.6  # 0.78; by chance 0.25
    assert printed.splitlines()[-1] == str(tmp_path / "signal.png")
    is_picture(tmp_path / "signal.png")


def test_a_network_of_volumes_learns_solids():
    printed = run("volume_3d.py", "--volumes", 400, "--epochs", 3)
    assert number(r"^test accuracy (\S+)$", printed) > 0.5  # 0.67; by chance 0.25


def test_a_model_goes_out_as_onnx_comes_back_and_learns_on():
    pytest.importorskip("onnx", reason='it needs onnx: pip install "fastcnn[onnx]"')
    printed = run("onnx_roundtrip.py", "--more", 4)
    elsewhere, loaded = re.search(r"^largest difference of a probability: (\S+) in the file, (\S+) loaded$", printed,
                                  re.MULTILINE).groups()
    assert float(elsewhere) < 1e-5
    assert float(loaded) < 1e-5
    before = number(r"^test accuracy (\S+) when exported$", printed)
    after = number(r"^test accuracy (\S+) after more training of the loaded model$", printed)
    assert 0.85 < before < after  # 0.94 and 0.97


def test_resnet20_learns_photographs(data_dir):
    printed = run("resnet20_cifar.py", "--epochs", 2, "--images", 768, "--test-images", 100, FASTCNN_DATA=str(data_dir))
    assert "271,098 parameters, 40.6 million multiply-adds" in printed
    first, last = (float(loss) for loss in re.findall(r"^epoch +\d of 2: .* loss (\S+),", printed, re.MULTILINE))
    assert last < first - 0.2  # two epochs of six steps, which say little on other images
    accuracy = number(r"^test accuracy (\S+)$", printed)
    assert accuracy == round(accuracy, 2), "the share of 100 images"


def test_a_u_net_finds_nuclei_and_draws_them(data_dir, tmp_path):
    pytest.importorskip("PIL", reason='the images need Pillow: pip install "fastcnn[image]"')
    pytest.importorskip("skimage", reason='objects need scikit-image: pip install "fastcnn[vision]"')
    printed = run("unet_nuclei.py", "--images", 16, "--test-images", 4, "--epochs", 5, "--filters", 8, 16, 24,
                  "--rate", 0.01, "--json", tmp_path / "unet.json", "--out", tmp_path / "unet.png",
                  FASTCNN_DATA=str(data_dir))
    assert number(r"^Dice (\S+), ", printed) > 0.4  # 0.7; by chance 0.15
    assert number(r"^average precision (\S+) at 0.5", printed) > 0.05  # 0.3
    assert printed.splitlines()[-1] == str(tmp_path / "unet.png")
    assert json.loads((tmp_path / "unet.json").read_text())["AP50"] > 0.05
    is_picture(tmp_path / "unet.png")


def test_a_yolo_learns_cells_and_draws_what_it_finds(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("yolo_cells.py", "--epochs", 12, "--photos", 24, "--size", 160, 192, "--filters", 8, "--rate", 0.005,
                  "--json", tmp_path / "cells.json", "--out", tmp_path / "cells.png", FASTCNN_DATA=str(data_dir))
    assert "24 photographs, " in printed
    losses = [float(loss) for loss in re.findall(r"loss: (\S+)$", printed, re.MULTILINE)]
    assert losses[-1] < 0.85 * losses[0]
    figure = number(r"^mAP@0.5 (\S+), @0.5:0.95", printed)
    assert 0 < figure < 1
    assert json.loads((tmp_path / "cells.json").read_text())["AP50"] == pytest.approx(figure, abs=1e-4)
    is_picture(tmp_path / "cells.png")


def test_a_faster_rcnn_learns_cells_and_draws_what_it_finds(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("faster_rcnn_cells.py", "--epochs", 12, "--photos", 24, "--size", 144, 192, "--filters", 8, "--rate",
                  0.005, "--out", tmp_path / "cells.png", "--json", tmp_path / "cells.json", FASTCNN_DATA=str(data_dir))
    assert "24 photographs, " in printed
    losses = [float(loss) for loss in re.findall(r"proposals_loss: (\S+)", printed)]
    assert losses[-1] < 0.8 * losses[0]
    assert 0 < number(r"^mAP@0.5 (\S+), @0.5:0.95", printed) < 1
    assert json.loads((tmp_path / "cells.json").read_text())["AP50"] > 0
    is_picture(tmp_path / "cells.png")


def test_three_generations_of_rcnn_stand_in_one_table(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    pytest.importorskip("cv2", reason='selective search needs OpenCV: pip install "fastcnn[rcnn]"')
    printed = run("rcnn_family.py", "--photos", 2, "--test", 1, "--epochs", 2, "--size", 144, 192, "--filters", 4,
                  "--regions", 32, "--out", tmp_path / "family.png", FASTCNN_DATA=str(data_dir))
    assert 0.5 < number(r"^recall of \d+ proposals of at most 1000: (\S+) ", printed) <= 1
    rows = re.findall(r"^(R-CNN|Fast R-CNN|Faster R-CNN) +(\d+) +(\S+) +(\S+)$", printed, re.MULTILINE)
    assert [row[0] for row in rows] == ["R-CNN", "Fast R-CNN", "Faster R-CNN"]
    assert int(rows[2][1]) == 64 < int(rows[1][1]) == int(rows[0][1])
    assert float(rows[2][2]) < float(rows[1][2])  # seconds: nothing is searched


def test_a_mask_rcnn_finds_nuclei_and_draws_them(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("mask_rcnn_nuclei.py", "--epochs", 6, "--pictures", 12, "--filters", 8, "--regions", 48, "--rate",
                  0.005, "--mask-filters", 8, "--out", tmp_path / "nuclei.png", "--json", tmp_path / "nuclei.json",
                  FASTCNN_DATA=str(data_dir))
    masks = [float(loss) for loss in re.findall(r"masks_loss: (\S+)", printed)]
    assert masks[-1] < 0.8 * masks[0]
    assert 0 <= number(r"^instance AP@0.5 (\S+), @0.7", printed) <= 1
    assert set(json.loads((tmp_path / "nuclei.json").read_text())) == {"AP50", "AP70", "seconds"}
    is_picture(tmp_path / "nuclei.png")


def test_every_example_is_run_by_a_test():
    tested = re.findall(r'run\("(\w+\.py)"', Path(__file__).read_text())
    assert set(tested) == {path.name for path in EXAMPLES.glob("*.py")}


def test_integrated_gradients_sum_up_to_the_difference_of_the_scores():
    printed = run("integrated_gradients.py", "--epochs", 4, "--images", 1, "--steps", 100)
    assert number(r"^test accuracy (\S+)$", printed) > 0.8
    assert number(r"^largest error of a sum (\S+)$", printed) < 0.1


def test_a_deep_dream_makes_a_layer_answer_more():
    printed = run("deep_dream.py", "--epochs", 1, "--steps", 5, "--size", 32)
    assert number(r"^activity times (\S+)$", printed) > 1.5


def test_a_network_is_asked_what_it_sees_in_crops_of_blood(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("what_it_sees.py", "--epochs", 2, "--photos", 60, "--out", tmp_path / "seen.png",
                  FASTCNN_DATA=str(data_dir))
    assert number(r"^test accuracy (\S+)$", printed) > 0.8  # 0.9855 after the 20 epochs of all photographs
    assert number(r"^the peak of Grad-CAM lies in the cell's box in (\S+) of", printed) > 0.6  # 1.000
    is_picture(tmp_path / "seen.png")


def test_a_photograph_is_painted_in_steps_and_in_one_pass(data_dir, real_models, tmp_path):
    pytest.importorskip("PIL.Image")
    photos = data_dir / "style-photos"
    weights = real_models / "squeezenet1.1" / "squeezenet1.1.safetensors"
    printed = run("style.py", photos / "chelsea.png", photos / "starry_night.jpg", "--weights", weights, "--size", 64,
                  "--steps", 20, "--out", tmp_path / "steps.png")
    assert number(r"the cost fell to (\S+) % in", printed) < 50
    printed = run("style_fast.py", photos / "chelsea.png", "--weights", real_models / "style-scream" /
                  "scream.safetensors", "--size", 48, "--out", tmp_path / "pass.png")
    assert "48 x 32 in " in printed
    assert (tmp_path / "steps.png").exists()
    assert (tmp_path / "pass.png").exists()


def test_photographs_are_named_in_8_bits_nearly_as_in_float32(data_dir, real_models):
    pytest.importorskip("PIL.Image")
    photos = [data_dir / "style-photos" / name for name in ("chelsea.png", "coffee.png")]
    printed = run("quantize_photographs.py", *photos, "--weights", real_models / "squeezenet1.1" /
                  "squeezenet1.1.safetensors", "--each", 8, "--calibrate", 6, "--float32", 20, "--side", 64)
    rows = re.findall(r"^(\S.*\S) +first class equal (\S+), outputs err by (\S+) ?%$", printed, re.MULTILINE)
    errors = {name: float(error) for name, _, error in rows}
    assert len(errors) == 7
    assert errors["entropy, equalized"] < errors["entropy"] < 4
    assert errors["mse, equalized, 20 of 26 in float32"] < errors["mse, equalized"]
    assert all(0 < float(same) <= 1 for _, same, _ in rows)  # of 16 crops of 64 pixels, which few classes fit


def test_letters_are_named_by_one_drawing_each(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("one_shot_letters.py", "--epochs", 1, "--verification-epochs", 1, "--characters", 24, "--filters", 8,
                  "--pairs", 400, "--json", tmp_path / "figures.json", FASTCNN_DATA=str(data_dir))
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert number(r"alphabets not seen, at threshold \S+: (\S+) right", printed) > 0.55
    assert figures["verification_accuracy"] == pytest.approx(
        number(r"alphabets not seen, at threshold \S+: (\S+) right", printed), abs=1e-4)
    assert number(r"^one-shot accuracy among 20, in 20 trials: (\S+), the worst", printed) > 0.15  # 0.05 by chance


def test_a_face_is_found_in_a_photograph_and_characters_are_told_apart(data_dir, real_models, tmp_path):
    pytest.importorskip("PIL.Image")
    pytest.importorskip("onnx")
    printed = run("faces.py", data_dir / "style-photos" / "astronaut.png", data_dir / "style-photos" / "coffee.png",
                  "--epochs", 1, "--characters", 24, "--filters", 8, "--out", tmp_path / "faces.png",
                  FASTCNN_DATA=str(data_dir))
    assert number(r"^(\S+) faces in 2 photographs$", printed) == 1
    assert number(r"^astronaut.png: 1 faces, (\S+)$", printed) > 0.99
    assert number(r"^(\S+) of 20 drawings have their right name", printed) > 0.1
    is_picture(tmp_path / "faces.png")


def test_digits_are_found_all_over_a_page(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("sliding_window_digits.py", "--epochs", 2, "--images", 4000, "--pages", 2, "--out",
                  tmp_path / "page.png", FASTCNN_DATA=str(data_dir))
    assert number(r"^found (\S+) of 48 digits on 2 pages", printed) > 25  # 35; 234 of 240 after the whole training
    assert number(r"answers differ by (\S+)$", printed) < 1e-5
    assert "8836 windows" in printed
    assert (tmp_path / "page.png").exists()


def test_landmarks_are_found_to_some_pixels(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("landmarks.py", "--epochs", 2, "--images", 2500, "--test-images", 100, "--out",
                  tmp_path / "marks.png", FASTCNN_DATA=str(data_dir))
    assert number(r"^mean error (\S+) pixels", printed) < 8  # 0.63 after the whole training
    assert (tmp_path / "marks.png").exists()


def test_a_white_cell_is_boxed_where_there_is_one(data_dir, tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("localization.py", "--epochs", 3, "--each", 2, "--photos", 60, "--dev", "--rate", 0.005, "--out",
                  tmp_path / "cells.png", FASTCNN_DATA=str(data_dir))
    assert number(r"^presence is right in (\S+) of", printed) > 0.6
    assert number(r"^mean IoU (\S+), smallest", printed) > 0.3  # 0.19 of a box in the middle; 0.85 after 14 epochs
    is_picture(tmp_path / "cells.png")


def test_two_networks_learn_from_one_another_to_draw_digits(tmp_path):
    pytest.importorskip("PIL.Image")
    printed = run("dcgan_digits.py", "--dataset", "digits", "--epochs", 2, "--out", tmp_path / "digits.png")
    assert re.search(r"discriminator: \d\.\d+ - generator: \d\.\d+$", printed, re.MULTILINE)
    assert number(r"^the judge is right about (\S+) of the test digits", printed) > 0.95
    assert 0 <= number(r"^of 1000 drawings the judge is sure of ([\d.]+); \d+ of the ten digits", printed) <= 1
    is_picture(tmp_path / "digits.png")
