"""Small mistakes in the rooms that orchestrate are noticed by these rooms' own tests."""

import ast

import pytest

from tests import mutants

pytest.importorskip("cosmic_ray", reason='it draws the mistakes: pip install "fastcnn[dev]"')


def test_a_seed_draws_the_same_mutants_each_of_one_place_and_none_of_an_annotation():
    drawn = mutants.draw(["device.py"], 12, seed=3)
    assert drawn == mutants.draw(["device.py"], 12, seed=3)
    assert drawn != mutants.draw(["device.py"], 12, seed=4)
    text = (mutants.ROOT / "fastcnn/device.py").read_text()
    assert len(drawn) == len({mutant.text for mutant in drawn}) == 12
    for mutant in drawn:
        assert mutant.file == "fastcnn/device.py"
        assert ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(text))
        assert len(str(mutant).splitlines()) > 1, "it tells what was changed"


def test_another_annotation_or_another_negative_length_is_no_mutant():
    assert not mutants._runs_otherwise("def f(x: int | A) -> int:\n    y: int = x\n",
                                       "def f(x: int & A) -> B:\n    y: B = x\n")
    assert not mutants._runs_otherwise("x.reshape(-1)", "x.reshape(~1)")
    assert mutants._runs_otherwise("x.reshape(-1)", "x.reshape(-0)")
    assert not mutants._runs_otherwise("x != -1", "x != not 1"), "it does not run at all"
    assert mutants._runs_otherwise("def f(x: int):\n    return x + 1\n", "def f(x: int):\n    return x - 1\n")


def test_the_table_names_rooms_and_tests_that_are_there():
    for room, tests in mutants.ROOMS.items():
        assert (mutants.ROOT / "fastcnn" / room).exists(), room
        assert all((mutants.ROOT / path).exists() for path in tests), room


@pytest.mark.slow
def test_of_a_hundred_mutants_of_operations_graph_and_device_85_are_killed():
    rooms = "operations", "graph", "device.py", "memory_pool.py", "kernel_recorder.py"
    assert mutants.main(["--count", "100", "--rooms", *rooms]) >= 0.85


@pytest.mark.slow
def test_of_a_hundred_mutants_of_training_layers_and_models_80_are_killed():
    assert mutants.main(["--count", "100", "--rooms", "training", "layers", "models"]) >= 0.8
