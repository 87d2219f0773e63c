"""Style transfer: the costs beside float64, the descent, its ends, and the pictures of a real network."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError, ModelFileError
from fastcnn.vision import style
from fastcnn.vision.style import pictures


def _network(preprocessing="none"):
    """Return a small network with random filters: enough to descend on."""
    fc.utils.set_random_seed(3)
    model = fc.Sequential([fc.Input((64, 64, 3)), layers.Rescaling(1 / 255), layers.Conv2D(6, 3, activation="relu",
                          name="a"), layers.MaxPooling2D(3, 2), layers.Conv2D(8, 3, activation="relu", name="b")])
    return style.FeatureNetwork(model, ["b"], ["a", "b"], preprocessing)


def _pictures():
    draw = np.random.default_rng(0)
    content = np.kron(draw.random((5, 6, 3)), np.ones((8, 8, 1))).astype(np.float32)  # 40 x 48
    return content, draw.random((40, 40, 3), np.float32)


def test_costs_are_those_of_float64():
    draw = np.random.default_rng(1)
    f, t = draw.standard_normal((2, 2, 4, 5, 3))
    gram = np.einsum("nijk,nijl->nkl", f, f)
    np.testing.assert_allclose(style.gram_matrix(f.astype(np.float32)), gram, rtol=1e-5, atol=1e-5)
    other = np.einsum("nijk,nijl->nkl", t, t)[:1]
    np.testing.assert_allclose(style.style_cost(gram.astype(np.float32), other.astype(np.float32)),
                               ((gram - other)**2).sum((1, 2)) / (other**2).sum(), rtol=1e-5)
    np.testing.assert_allclose(style.content_cost(f.astype(np.float32), t[:1].astype(np.float32)),
                               ((f - t[:1])**2).mean((1, 2, 3)) / (t[:1]**2).mean(), rtol=1e-5)
    rough = (np.diff(f, axis=1)**2).mean((1, 2, 3)) + (np.diff(f, axis=2)**2).mean((1, 2, 3))
    np.testing.assert_allclose(style.total_variation(f.astype(np.float32)), rough, rtol=1e-5)


@pytest.mark.parametrize("init", ["content", "noise"])
def test_the_cost_falls_and_the_same_seed_paints_the_same_picture(init):
    content, brush = _pictures()
    first, second = (style.stylize(content, brush, _network(), size=48, steps=15, learning_rate=0.05, init=init, seed=1)
                     for _ in range(2))
    assert first.share < 0.8
    assert len(first.costs) == 15
    assert first.picture.shape == (40, 48, 3)
    assert first.picture.dtype == np.uint8
    np.testing.assert_array_equal(first.picture, second.picture)
    told = first.costs[0]
    assert told["cost"] == pytest.approx(told["content"] + told["style"] + told["variation"])
    assert (told["content"] == 0) == (init == "content")


def test_sizes_go_from_small_to_large():
    content, brush = _pictures()
    found = style.stylize(content, brush, _network(), sizes=[40, 48], steps=2)
    assert [one["size"] for one in found.costs] == [40, 40, 48, 48]
    assert found.picture.shape == (40, 48, 3)


def test_the_colours_of_the_content_stay_where_that_is_wanted():
    content, brush = _pictures()
    found = style.stylize(content, brush, _network(), size=48, steps=3, keep_colors=True)
    to_yiq = np.array([[0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
    inside = (found.picture > 0).all(-1) & (found.picture < 255).all(-1)  # where nothing had to be clipped
    assert inside.mean() > 0.5
    np.testing.assert_allclose((found.picture / 255 @ to_yiq.T)[inside], (content @ to_yiq.T)[inside], atol=0.01)


def test_a_step_may_end_it_and_keeps_the_picture():
    content, brush = _pictures()
    found = style.stylize(content, brush, _network(), size=48, steps=50, on_step=lambda step, costs: step == 3)
    assert (len(found.costs), found.stopped) == (3, "interrupted")
    assert found.picture.std() > 10


def test_what_is_not_finite_ends_it_with_the_last_good_picture():
    content, brush = _pictures()
    network = _network()
    network.model.get_layer("b").kernel.assign(np.full(network.model.get_layer("b").kernel.shape, 1e30))
    found = style.stylize(content, brush, network, size=48, steps=50)
    assert "at step 1" in found.stopped
    np.testing.assert_array_equal(found.picture, (content * 255 + 0.5).astype(np.uint8))


def test_every_pixel_is_seen_by_the_network():
    content, brush = _pictures()
    network = _network()
    rows, columns = pictures.missing_rows(network.model, network.names, 40, 48)
    assert (rows, columns) == (1, 1)  # the pooling wants 2 k + 1 of what the first convolution leaves, 38 and 46
    found = style.stylize(content, brush, network, size=48, steps=4, learning_rate=0.1, variation_weight=0)
    moved = abs(found.picture / 255 - content).max(-1)
    assert moved[-1].max() > 0.01
    assert moved[:, -1].max() > 0.01


@pytest.mark.parametrize("mode", ["torch", "caffe", "tf"])
def test_a_network_gets_its_pictures_as_it_was_trained(mode):
    picture = np.random.default_rng(0).random((1, 4, 5, 3), np.float32)
    network = _network(mode)
    np.testing.assert_allclose(network.prepared(picture), fc.applications.preprocess_input(picture * 255, mode),
                               atol=2e-4)


@pytest.mark.parametrize(("arguments", "told"), [
    ({"size": 8}, "sizes from small to large, each at least 32"), ({"sizes": [64, 48]}, "small to large"),
    ({"steps": 0}, "steps to be at least 1"), ({"init": "black"}, "'content' or 'noise', got 'black'"),
    ({"style_weight": -1}, "weights of at least 0"), ({"learning_rate": 0}, "learning_rate above 0"),
    ({"style_layer_weights": [1]}, "for 2 layers"), ({"content": np.full((40, 48, 3), 2.0)}, "floats from 0 to 1"),
    ({"content": np.zeros((4, 400, 3), np.uint8)}, "at least 32 pixels on its shorter side"),
    ({"content": np.zeros((40, 48, 4), np.uint8)}, "expected a picture"), ({"network": "vgg11"}, "vgg11")])
def test_bad_arguments_are_told(arguments, told):
    content, brush = _pictures()
    given = {"content": content, "style": brush, "network": _network(), "size": 48} | arguments
    with pytest.raises(ArgumentError, match=told):
        style.stylize(**given)


def test_layers_that_are_not_there_and_files_that_are_none_are_told(tmp_path, monkeypatch):
    with pytest.raises(ArgumentError, match="layer"):
        style.FeatureNetwork(_network().model, ["c"], ["a"])
    monkeypatch.delenv("FASTCNN_DATA", raising=False)
    with pytest.raises(ArgumentError, match="FASTCNN_DATA, or a file of yours"):
        style.feature_network()
    (tmp_path / "w.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match=r"w\.safetensors"):
        style.feature_network("squeezenet1.1", tmp_path / "w.safetensors")
    with pytest.raises(DataError, match=r"none\.png"):
        style.stylize(tmp_path / "none.png", _pictures()[1], _network(), size=48)


def test_the_cat_is_painted_like_the_starry_night(real_models, data_dir):
    network = style.feature_network("squeezenet1.1", real_models / "squeezenet1.1" / "squeezenet1.1.safetensors")
    folder = data_dir / "style-photos"
    found = style.stylize(folder / "chelsea.png", folder / "starry_night.jpg", network, size=96, steps=40)
    assert found.share < 0.2
    assert found.picture.shape == (64, 96, 3)
