"""Explanations beside their definitions: central differences, windows by hand, and networks that share layers."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import explanations
from fastcnn.vision.explanations import drawing


def _model(last="softmax", dtype="float64"):
    fc.utils.set_random_seed(1)
    return fc.Sequential([
        fc.Input((10, 9, 2), dtype=dtype), layers.Conv2D(4, 3, name="a", dtype=dtype), layers.ReLU(dtype=dtype),
        layers.AveragePooling2D(2, dtype=dtype), layers.Conv2D(5, 3, activation="relu", name="b", dtype=dtype),
        layers.GlobalAveragePooling2D(dtype=dtype), layers.Dense(3, activation=last, name="d", dtype=dtype)])


def _pictures(n=2):
    return np.random.default_rng(0).standard_normal((n, 10, 9, 2))


def _logit(model, x, target):
    """Return the logit by the model's log-probability, up to what does not depend on the class."""
    p = model.predict(x, verbose=0)
    return np.log(p[:, target])


def test_saliency_is_the_gradient_of_the_logit():
    model, x = _model("linear"), _pictures(1)
    found = explanations.saliency(model, x, 2)[0]
    step = 1e-5
    for row, column in ((0, 0), (4, 4), (9, 8)):
        slopes = []
        for channel in (0, 1):
            up, down = x.copy(), x.copy()
            up[0, row, column, channel] += step
            down[0, row, column, channel] -= step
            slopes.append((model.predict(up, verbose=0)[0, 2] - model.predict(down, verbose=0)[0, 2]) / (2 * step))
        assert found[row, column] == pytest.approx(max(map(abs, slopes)), rel=1e-6, abs=1e-9)


def test_a_last_softmax_is_left_out_whoever_has_it():
    plain, within = _model("linear"), _model("softmax")
    apart = fc.Sequential([fc.Input((10, 9, 2), dtype="float64"), *_model("linear").layers,
                           layers.Softmax(dtype="float64")])
    within.set_weights(plain.get_weights())
    apart.set_weights(plain.get_weights())
    x = _pictures()
    wanted = explanations.saliency(plain, x, [0, 1])
    np.testing.assert_allclose(explanations.saliency(within, x, [0, 1]), wanted)
    np.testing.assert_allclose(explanations.saliency(apart, x, [0, 1]), wanted)
    answers = plain.predict(x, verbose=0).argmax(1)
    np.testing.assert_allclose(explanations.saliency(within, x), explanations.saliency(plain, x, answers))


def test_guided_gradients_keep_back_what_is_negative():
    model = fc.Sequential([fc.Input((1, 2, 1)), layers.Conv2D(2, 1, activation="relu", use_bias=False),
                           layers.Flatten(), layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[[[2.0, 3.0]]]]), np.array([[1.0], [-1.0], [1.0], [1.0]])])
    x = np.array([[[[1.0], [-1.0]]]], np.float32)
    np.testing.assert_allclose(explanations.guided_gradients(model, x, 0)[0, 0, :, 0], [2, 0])  # 2 - 3 without a guide
    np.testing.assert_allclose(explanations.saliency(model, x, 0)[0, 0], [1, 0])


def test_grad_cam_is_its_formula():
    model, x = _model("linear"), _pictures()
    found = explanations.grad_cam(model, x, 1, "b", resize=False)
    maps = fc.Model(model.input, model.get_layer("b").output).predict(x, verbose=0)
    weights = model.get_layer("d").kernel.value[:, 1] / np.prod(maps.shape[1:3])  # of the mean that follows
    np.testing.assert_allclose(found, np.maximum((maps * weights).sum(-1), 0), atol=1e-12)
    whole = explanations.grad_cam(model, x, 1)
    assert whole.shape == (2, 10, 9)
    np.testing.assert_allclose(whole.max((1, 2)), found.max((1, 2)), rtol=0.3)


def test_occlusion_is_the_fall_of_the_logit_window_by_window():
    model, x = _model("linear"), _pictures(1)
    found = explanations.occlusion(model, x, 0, window=4, stride=3, value=0.5, batch_size=3)
    sums, counts = np.zeros((10, 9)), np.zeros((10, 9))
    for top in (0, 3, 6):
        for left in (0, 3, 5):
            hidden = x.copy()
            hidden[0, top:top + 4, left:left + 4] = 0.5
            fall = (model.predict(x, verbose=0) - model.predict(hidden, verbose=0))[0, 0]
            sums[top:top + 4, left:left + 4] += fall
            counts[top:top + 4, left:left + 4] += 1
    np.testing.assert_allclose(found[0], sums / counts, atol=1e-9)


def test_the_patches_are_where_the_unit_is_excited_most():
    model, x = _model(), _pictures(12)
    found = explanations.exciting_patches(model, x, "b", 3, count=9, batch_size=5)
    maps = fc.Model(model.input, model.get_layer("b").output).predict(x, verbose=0)[..., 3]
    best = np.sort(maps.max((1, 2)))[::-1][:9]
    np.testing.assert_allclose([one.value for one in found], best, rtol=1e-12)
    assert len({one.picture for one in found}) == 9
    for one in found:
        left, top, right, bottom = one.box
        np.testing.assert_array_equal(one.pixels, x[one.picture, top:bottom, left:right])
        row, column = np.unravel_index(maps[one.picture].argmax(), maps.shape[1:])
        assert (top, left) == (2 * row, 2 * column)
        assert (bottom - top, right - left) == (8, 8)


def test_ascent_excites_the_unit_and_repeats():
    model = _model(dtype="float32")
    picture, activity = explanations.ascend(model, "b", 2, steps=30)
    assert picture.shape == (10, 9, 2)
    assert activity[-1] > activity[0] + 0.1
    np.testing.assert_array_equal(explanations.ascend(model, "b", 2, steps=30)[0], picture)
    for unit in range(3):
        logits = explanations.ascend(model, unit=unit, steps=30)[1]
        assert logits[-1] > 0.1 > logits[0]
    assert not np.array_equal(explanations.ascend(model, "b", 2, steps=30, jitter=1)[0], picture)


def test_shared_layers_and_models_inside_models_are_no_obstacle():
    fc.utils.set_random_seed(0)
    shared = layers.Conv2D(2, 3, padding="same", activation="relu", name="shared")
    inner_input = fc.Input((8, 8, 2))
    inner = fc.Model(inner_input, shared(shared(inner_input)), name="inner")
    x = fc.Input((8, 8, 2))
    y = layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Add()([inner(x), shared(x)])))
    model = fc.Model(x, y)
    given = np.random.default_rng(0).standard_normal((1, 8, 8, 2)).astype(np.float32)
    _, slope = fc.gradients(lambda x: model(x)[:, 1], given)
    np.testing.assert_allclose(explanations.saliency(model, given, 1), abs(slope).max(-1), atol=1e-6)
    assert explanations.grad_cam(model, given, 1, "shared").shape == (1, 8, 8)


def test_a_layer_inside_goes_by_its_path_and_a_model_inside_by_its_name():
    def part(name, filters):
        return fc.Sequential([fc.Input((8, 8, 2)), layers.Conv2D(filters, 3, name="c")], name=name)

    fc.utils.set_random_seed(0)
    x = fc.Input((8, 8, 2))
    left, right = part("left", 2), part("right", 3)
    y = layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Concatenate()([left(x), right(x)])))
    model = fc.Model(x, y)
    given = np.random.default_rng(0).standard_normal((1, 8, 8, 2)).astype(np.float32)
    heats = [explanations.grad_cam(model, given, 1, name) for name in ("left/c", "left", "right/c", "right")]
    np.testing.assert_array_equal(heats[0], heats[1])
    np.testing.assert_array_equal(heats[2], heats[3])
    assert not np.array_equal(heats[0], heats[2])
    with pytest.raises(ArgumentError, match="expected the path of one layer, 'left/c' or 'right/c', got 'c'"):
        explanations.grad_cam(model, given, 1, "c")
    best = explanations.exciting_patches(model, given, "right/c", 2, count=1)[0]
    assert best.value == pytest.approx(right.predict(given)[..., 2].max(), rel=1e-5)


def test_a_model_of_any_size_is_asked_at_that_of_the_pictures():
    fc.utils.set_random_seed(0)
    part = [layers.Conv2D(3, 3, activation="relu", name="c"), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    given = np.random.default_rng(0).standard_normal((2, 9, 8, 2)).astype(np.float32)
    model = fc.Sequential([fc.Input((None, None, 2)), *part])
    fixed = model.for_shape((None, 9, 8, 2))
    for found, expected in zip(
            (explanations.saliency(model, given, 1), explanations.grad_cam(model, given, 1, "c"),
             explanations.exciting_patches(model, given, "c", 1)[0].pixels),
            (explanations.saliency(fixed, given, 1), explanations.grad_cam(fixed, given, 1, "c"),
             explanations.exciting_patches(fixed, given, "c", 1)[0].pixels), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("apart", [False, True])
def test_a_unit_that_a_relu_holds_at_0_rises_before_it(apart):
    convolution = layers.Conv2D(2, 3, activation=None if apart else "relu", name="c" if apart else "unit",
                                bias_initializer=fc.initializers.Constant(-1.0))
    model = fc.Sequential([fc.Input((8, 8, 1)), convolution, *([layers.ReLU(name="unit")] if apart else []),
                           layers.Flatten(), layers.Dense(2)])
    activity = explanations.ascend(model, "unit", 1, steps=10)[1]
    assert activity[0] < -0.9
    assert activity[-1] > activity[0] + 0.01


def test_weights_and_their_gradients_stay_as_they_are():
    model = _model()
    before = [p.value.copy() for p in model.weights]
    for method in ("gradcam", "saliency", "guided", "occlusion"):
        options = {"window": 4, "stride": 2} if method == "occlusion" else {}
        found = fc.vision.explain(model, _pictures(1)[0], method, **options)
        assert found.heat.shape == (10, 9)
        assert found.picture.dtype == np.uint8
        assert 0 <= found.peak[0] < 10
    for p, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(p.value, value)
        assert p.gradient is None or not np.asarray(p.gradient).any()


def test_pictures_show_what_was_found(tmp_path):
    pytest.importorskip("PIL.Image")
    model = _model(dtype="float32")
    found = fc.vision.explain(model, _pictures(4), "patches", layer="b", target=1, count=4)
    assert len(found.patches) == 4
    found.save(tmp_path / "p.png")
    from fastcnn.datasets.rgb import read_rgb

    np.testing.assert_array_equal(read_rgb(tmp_path / "p.png"), found.picture)
    framed = drawing.framed(np.zeros((10, 9, 3), np.uint8), (2, 3, 7, 8))  # ten pixels of the picture in a row are 190
    rows, columns, _ = np.nonzero(framed)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (3 * 19, 8 * 19, 2 * 19, 7 * 19)
    assert not framed[5 * 19, 4 * 19].any()
    assert fc.vision.explain(model, None, "ascent", layer="b", steps=3).picture.shape[2] == 3


def test_where_no_pixel_speaks_for_a_class_there_is_no_peak():
    model = fc.Sequential([fc.Input((4, 4, 1)), layers.Conv2D(1, 1, kernel_initializer="ones", name="c"),
                           layers.GlobalAveragePooling2D(), layers.Dense(1, kernel_initializer=-fc.ops.ones((1, 1)))])
    found = fc.vision.explain(model, np.ones((4, 4, 1), np.float32))
    assert found.peak is None
    assert not found.heat.any()


@pytest.mark.parametrize(("arguments", "error", "told"), [
    ({"method": "saliency", "layer": "b"}, ArgumentError, "expected no layer for method 'saliency'"),
    ({"method": "guided", "window": 3}, ArgumentError, "expected no options"),
    ({"method": "lime"}, ArgumentError, "method"), ({"layer": "z"}, ArgumentError, "layer"),
    ({"layer": "d"}, ArgumentError, "feature maps"), ({"target": 3}, ArgumentError, "output from 0 to 2, got 3"),
    ({"x": np.zeros((4, 4, 2))}, DataError, "expected pictures"), ({"method": "patches"}, ArgumentError, "a layer"),
    ({"x": _pictures(2)}, ArgumentError, "one picture"),
    ({"method": "occlusion", "window": 20}, ArgumentError, "window from 1 to 9")])
def test_bad_arguments_are_told(arguments, error, told):
    given = {"model": _model(), "x": _pictures(1)[0]} | arguments
    with pytest.raises(error, match=told):
        fc.vision.explain(**given)


def test_a_model_of_rows_is_told():
    model = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    with pytest.raises(ArgumentError, match="one input of pictures"):
        explanations.saliency(model, np.zeros((1, 4)))
