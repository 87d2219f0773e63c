"""The lessons of examples/lessons show what they say, in a short mode, each in this process: importing takes longest.

What a script says is computed, so the tests read the numbers that it prints.
"""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from tests.examples.test_examples import EXAMPLES, is_picture, run

LESSONS = EXAMPLES / "lessons"
PICTURES = EXAMPLES.parent / "docs" / "assets" / "lessons"
NAMES = sorted(path.stem for path in LESSONS.glob("*.py"))


def module_of(name):
    spec = importlib.util.spec_from_file_location(f"lesson_{name}", LESSONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lesson(tmp_path, capsys):
    """Run a lesson, and return what it prints; its picture is there."""
    pytest.importorskip("matplotlib", reason='the picture needs matplotlib: pip install "fastcnn[plot]"')

    def give(name, *arguments):
        out = tmp_path / f"{name}.png"
        module_of(name).main([*map(str, arguments), "--out", str(out)])
        printed = capsys.readouterr().out
        assert printed.splitlines()[-1] == str(out)
        is_picture(out)
        return printed

    return give


def test_a_learned_layer_has_edges_as_filters_made_by_hand_have(lesson):
    printed = lesson("edge_filters", "--epochs", 8)
    after, before, most = map(int, re.search(r"(\d+)% is in edges, (\d+)% before training; the most is (\d+)%",
                                             printed).groups())
    assert before < after < most < 100
    share, made = (vars(module_of("edge_filters"))[name] for name in ("edge_share", "MADE"))
    for angle in np.linspace(0, 3, 7):
        assert share(np.cos(angle) * made["Sobel, x"] + np.sin(angle) * made["Sobel, y"]) == pytest.approx(1)
    assert share(np.ones((3, 3))) == pytest.approx(0)
    assert 0.9 < share(made["Scharr, y"]) < 1


def test_rosenblatts_rule_learns_and_but_not_xor(lesson):
    printed = lesson("perceptron", "--epochs", 20)
    assert "AND: one neuron makes no error any more in epoch 8." in printed
    assert re.search(r"XOR: one neuron makes [1-4] to 4 errors in each of 20 epochs, and ends 1\d of them", printed)
    assert "XOR: with two hidden neurons all four are right from epoch 12 on." in printed


def test_batch_descent_never_rises_and_the_others_do(lesson):
    printed = lesson("cost_curves", "--epochs", 3, "--images", 300)
    rises = [int(share) for share in re.findall(r"higher than before in (\d+)% of the steps", printed)]
    steps = [int(count) for count in re.findall(r"(\d+) steps of", printed)]
    assert steps == [3, 15, 900]
    assert rises[0] == 0 < 20 < min(rises[1:])


def test_two_of_five_initializations_cannot_learn(lesson):
    printed = lesson("initializations", "--epochs", 12)
    assert "2 of 5 are no better than always saying one class, 10.2%: zeros, all 0.05." in printed
    assert re.findall(r"(\d+) different filters;", printed) == ["1", "1", "16", "16", "16"]


def test_gradients_vanish_explode_and_are_cured(lesson):
    printed = lesson("vanishing_gradients", "--epochs", 2)
    ratios = [float(ratio) for ratio in re.findall(r"gradient is (\S+) of the last one's", printed)]
    assert ratios[0] < 1e-12
    assert ratios[1] > 20
    assert all(0.1 < ratio < 10 for ratio in ratios[3:])


def test_what_is_learned_by_heart_is_worse_for_other_images(lesson):
    printed = lesson("overfitting", "--epochs", 20, "--images", 150)
    errors = [(float(own), float(others)) for own, others in re.findall(r"errors (\S+)% and (\S+)%", printed)]
    assert len(errors) == 5
    assert errors[0][0] < 15, "wrong labels too, which are 20 %"
    assert errors[4][0] > 16, "with augmentation they are not"
    assert errors[4][1] < errors[0][1]


def test_optimizers_find_their_way_along_a_ravine(lesson):
    printed = lesson("optimizers", "--steps", 250)
    steps = dict(re.findall(r"^(\w+) +at its best rate, .* after ([\w ]+) steps", printed, re.MULTILINE))
    assert len(steps) == 7
    assert int(steps["Nesterov"]) < int(steps["momentum"]) < int(steps["SGD"])


def test_a_rate_that_is_let_down_ends_nearer_to_the_minimum(lesson):
    printed = lesson("learning_rates", "--epochs", 6, "--exact", 600)
    above = [float(cost) for cost in re.findall(r", and (\S+) above the least cost", printed)]
    assert len(above) == 6
    assert 0 < min(above[1:]) < max(above[1:]) < above[0]


def test_a_planted_error_is_found_in_its_layer(lesson):
    printed = lesson("gradient_check", "--images", 6)
    assert "the check says: right.\n" in printed
    assert "the check says: wrong, in the layer swish.\n" in printed
    single, double = (float(error) for error in re.findall(r"at best (\S+) of the slope off", printed))
    assert double < 1e-7 < 1e-5 < single


def test_batch_normalization_widens_the_range_of_rates(lesson):
    printed = lesson("batch_normalization", "--epochs", 2, "--rates", 6)
    plain, normalized = (float(wide) for wide in re.findall(r"over (\S+) powers of ten", printed))
    assert normalized > plain + 1


def test_each_fault_is_read_off_its_gap(lesson):
    printed = lesson("bias_and_variance", "--steps", 300)
    told = re.findall(r"So (no gap counts|[\w ]+)[:.]", printed)
    assert told[:3] == ["avoidable bias", "variance", "mismatch"]


def test_a_lesson_is_a_script():
    assert "Rosenblatt's rule of 1958" in run("lessons/perceptron.py", "--help")


def test_every_lesson_is_run_by_a_test_and_has_its_picture_on_the_page():
    assert set(re.findall(r'lesson\("(\w+)"', Path(__file__).read_text())) == set(NAMES)
    page = (EXAMPLES.parent / "docs" / "lessons.md").read_text()
    shown = re.findall(r"\]\(assets/lessons/(\w+)\.png\)", page)
    assert re.findall(r"\]\(examples/lessons/(\w+)\.md\)", page) == shown
    assert sorted(shown) == NAMES
    for name in NAMES:
        assert (PICTURES / f"{name}.png").stat().st_size < 60_000
