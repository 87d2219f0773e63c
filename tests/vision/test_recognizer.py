"""A network with its threshold: any pictures in, who is who out; its file, its figures, its pictures."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.datasets import AnnotatedDataset, IdentityImages
from fastcnn.datasets.annotated.identities import OneShotRun
from fastcnn.datasets.rgb import read_rgb, write_picture
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import identity

pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


@pytest.fixture
def recognizer():
    """Return one whose embeddings are the four corners of a grey picture, 0 to 1."""
    model = fc.Sequential([fc.Input((2, 2, 1)), layers.Rescaling(1 / 255), layers.Flatten()])
    return identity.Recognizer(model, 0.5)


def _grey(value, side=6):
    return np.full((side, side, 1), value, np.uint8)


def _people(values, side=6):
    images = np.stack([_grey(value, side) for one in values for value in one])
    labels = np.repeat(np.arange(len(values)), [len(one) for one in values])
    return IdentityImages(images, labels, tuple(f"p{k}" for k in range(len(values))),
                          tuple(f"{k}.png" for k in range(len(labels))))


def test_pictures_of_any_size_and_files_have_the_embedding_of_their_middle(recognizer, tmp_path):
    wide = np.zeros((8, 24, 1), np.uint8)
    wide[:, 8:16] = 255  # the middle is white, the rest is cut off
    write_picture(tmp_path / "white.png", np.full((5, 5, 3), 255, np.uint8))
    np.testing.assert_allclose(recognizer.embed([wide, tmp_path / "white.png", _grey(51)]),
                               np.array([[1.0] * 4, [1.0] * 4, [0.2] * 4]), atol=1e-6)
    np.testing.assert_array_equal(recognizer.embed(np.stack([wide, wide])), np.ones((2, 4)))
    assert recognizer.embed(_grey(0)).shape == (1, 4)
    assert recognizer.embed([]).shape == (0, 4)


def test_pairs_are_verified_by_the_threshold_of_the_recognizer_its_file_or_another(recognizer, tmp_path):
    near, far = _grey(60), _grey(255)
    same, distances = recognizer.verify([near, near], [_grey(0), far])
    assert same.tolist() == [True, False]
    np.testing.assert_allclose(distances, [4 * (60 / 255) ** 2, 4 * (195 / 255) ** 2], rtol=1e-6)
    recognizer.save(tmp_path / "r.safetensors")
    for model in (recognizer, tmp_path / "r.safetensors"):
        again, found = fc.vision.verify(model, [near, near], [_grey(0), far])
        assert again.tolist() == [True, False]
        np.testing.assert_array_equal(found, distances)
    assert fc.vision.verify(recognizer, near, far, threshold=3.0)[0].tolist() == [True]
    with pytest.raises(ArgumentError, match="as many pictures"):
        recognizer.verify([near], [near, far])


def test_a_file_keeps_threshold_and_shifts_and_a_model_alone_is_none(recognizer, tmp_path):
    moved = identity.Recognizer(recognizer.model, 0.25, shifts=1)
    moved.save(tmp_path / "r.safetensors")
    found = identity.Recognizer.load(tmp_path / "r.safetensors")
    assert (found.threshold, found.shifts) == (0.25, 1)
    np.testing.assert_array_equal(found.embed(_grey(9)), moved.embed(_grey(9)))
    fc.saving.save_model(recognizer.model, tmp_path / "m.safetensors")
    with pytest.raises(DataError, match="a model without such settings; siamese_recipe trains one"):
        identity.Recognizer.load(tmp_path / "m.safetensors")


def test_shifted_embeddings_are_the_mean_of_five_brought_to_length_1(recognizer):
    picture = np.array([[0, 255], [51, 102]], np.uint8)[..., None]
    a, b, c, d = 0, 1, 0.2, 0.4
    five = np.array([[a, b, c, d], [a, b, a, b], [c, d, c, d], [a, a, c, c], [b, b, d, d]]).mean(0)
    found = identity.Recognizer(recognizer.model, 1.0, shifts=1).embed(picture)
    np.testing.assert_allclose(found[0], five / np.linalg.norm(five), atol=1e-6)


def test_figures_are_those_of_pairs_neighbours_and_trials(recognizer):
    part = _people([(0, 10), (120, 130), (240, 250)])
    run = OneShotRun(np.stack([_grey(0), _grey(255)]), np.stack([_grey(250), _grey(200), _grey(3)]),
                     np.array([1, 0, 0]))
    data = AnnotatedDataset("greys", "identity", part, part, part.names, "made", runs=(run, run._replace(
        answers=np.array([1, 1, 0]))))
    found = recognizer.evaluate(data, pairs=200)
    assert found["verification_accuracy"] == found["recall"] == found["area"] == 1
    assert found["equal_error_rate"] == 0
    assert found["one_shot_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["one_shot_worst"] == pytest.approx(2 / 3)
    assert "verification_accuracy_in_groups" not in found, "there is one group"
    strict = identity.Recognizer(recognizer.model, 0.0).evaluate(part, pairs=200)
    assert strict["verification_accuracy"] == 0.5
    assert strict["area"] == 1


@pytest.mark.parametrize(("arguments", "told"), [
    ({"threshold": -1}, "a threshold of at least 0"), ({"threshold": float("nan")}, "threshold"),
    ({"threshold": 1, "shifts": 2}, "less than the picture"), ({"threshold": 1, "shifts": -1}, "shifts from 0")])
def test_settings_that_cannot_be_are_refused(recognizer, arguments, told):
    with pytest.raises(ArgumentError, match=told):
        identity.Recognizer(recognizer.model, **arguments)


def test_what_gives_no_embeddings_of_pictures_is_refused(recognizer):
    maps = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    rows = fc.Sequential([fc.Input((8,)), layers.Dense(2)])
    for model, told in ((maps, "to embeddings"), (rows, "a model of pictures"), ("model", "to embeddings")):
        with pytest.raises(ArgumentError, match=told):
            identity.Recognizer(model, 1.0)
    with pytest.raises(ArgumentError, match="of uint8"):
        recognizer.embed([np.zeros((4, 4, 1))])
    with pytest.raises(DataError, match="persons or characters, got list"):
        recognizer.evaluate([1])
    with pytest.raises(ArgumentError, match="a threshold beside a model"):
        fc.vision.verify(recognizer.model, np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 1)))


def test_a_gallery_of_a_recognizer_takes_files_and_its_threshold_and_draws_both(recognizer, tmp_path):
    write_picture(tmp_path / "ann.png", np.full((9, 9, 3), 250, np.uint8))
    gallery = identity.Gallery(recognizer)
    assert gallery.threshold == 0.5
    gallery.enroll({"ann": [tmp_path / "ann.png"], "bob": [_grey(0), _grey(20)]})
    found = gallery.identify([_grey(255), _grey(30), _grey(128)])
    assert [one.name for one in found] == ["ann", "bob", identity.NOT_RECOGNIZED]
    drawn = gallery.draw([_grey(255), _grey(30)], tmp_path / "sheet.png")
    assert drawn.shape == read_rgb(tmp_path / "sheet.png").shape == (148, 480, 3)
    np.testing.assert_array_equal(drawn[10, [10, 130, 250, 370], 0], [255, 250, 30, 20])  # each beside its nearest


def test_known_persons_are_folders_or_the_names_of_files(tmp_path):
    (tmp_path / "ann").mkdir()
    for name in ("ann/x.png", "ann/y.jpg", "bob.png", "bob_2.png", "eve-10.png", "7.png", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    known = identity.known_persons(tmp_path)
    assert {name: sorted(file.name for file in files) for name, files in known.items()} == {
        "ann": ["x.png", "y.jpg"], "bob": ["bob.png", "bob_2.png"], "eve": ["eve-10.png"], "7": ["7.png"]}
    (tmp_path / "empty").mkdir()
    for place, told in ((tmp_path / "empty", "a folder for each person"), (tmp_path / "none", "got nothing there"),
                        (tmp_path / "bob.png", "got a file")):
        with pytest.raises(DataError, match=told):
            identity.known_persons(place)


def test_embeddings_are_drawn_with_like_ones_near(tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    x = np.random.default_rng(0).normal(size=(30, 4)) + 20 * np.eye(3, 4)[np.arange(30) % 3]
    names = ("greek/alpha", "greek/beta", "greek/gamma")
    places = identity.draw_embeddings(x, np.arange(30) % 3, tmp_path / "e.png", names=names)
    assert fc.metrics.RecallAtK()(np.arange(30) % 3, places) == 1
    assert read_rgb(tmp_path / "e.png").std() > 5
    for given, error, told in (((x[:3], [0, 1, 2], "e.png"), DataError, "at least 5"),
                               ((x, np.zeros(29), "e.png"), ArgumentError, "a label for each"),
                               ((x * np.nan, np.zeros(30), "e.png"), DataError, "finite"),
                               ((x, np.zeros(30), "e.txt"), ArgumentError, "ends in .png"),
                               ((x, np.zeros(30), tmp_path / "no" / "e.png"), ArgumentError, "make it first")):
        with pytest.raises(error, match=told):
            identity.draw_embeddings(*given)
