"""Losses beside one another: from logits, from probabilities, and from the logits of a softmax in one kernel."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.layers import Softmax

N, CLASSES = 6, 5
LOGITS = np.random.default_rng(0).standard_normal((N, CLASSES))
TARGETS = {
    "sparse_categorical_crossentropy": np.array([0, 4, 2, 2, 1, 3]),
    "categorical_crossentropy": np.random.default_rng(1).dirichlet(np.ones(CLASSES), N),
}
names = pytest.mark.parametrize("name", TARGETS)
types = pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float64", 1e-12)])


@types
@names
def test_a_loss_of_a_softmax_is_the_loss_of_its_logits_in_one_kernel(name, dtype, tolerance):
    x, y = LOGITS.astype(dtype), TARGETS[name]
    loss = fc.losses.get(name)
    probabilities, back = Softmax(dtype=dtype).forward(x)
    losses, gradient = loss.forward(y, probabilities)
    got = loss.forward_from_logits(y, x)
    for a, b in zip(got, (losses, back(gradient), probabilities), strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    without = loss.forward_from_logits(y, x, wants_probabilities=False)
    assert without[2] is None
    for a, b in zip(without[:2], got[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    from_logits = type(loss)(from_logits=True).forward(y, x)
    for a, b in zip(from_logits, got[:2], strict=True):
        np.testing.assert_array_equal(a, b)


@names
def test_only_a_loss_of_probabilities_follows_a_softmax(name):
    kind = type(fc.losses.get(name))
    assert kind().follows_softmax
    assert not kind(from_logits=True).follows_softmax
    assert not fc.losses.get("mse").follows_softmax
    assert not fc.losses.get("binary_crossentropy").follows_softmax


@names
def test_the_logits_of_a_softmax_are_not_clipped(name):
    y = np.eye(2)[[1]] if name == "categorical_crossentropy" else np.array([1])
    loss = fc.losses.get(name)
    losses, gradient, _ = loss.forward_from_logits(y, np.array([[50.0, 0.0]]))
    assert losses == pytest.approx(50)
    np.testing.assert_allclose(gradient, [[1, -1]], rtol=1e-12)
    clipped, nothing = loss.forward(y, np.array([[1.0, 0.0]]))
    assert clipped == pytest.approx(-np.log(1e-7))
    np.testing.assert_array_equal(nothing, 0)


@names
def test_logits_of_another_rank_or_number_are_refused(name):
    loss, y = fc.losses.get(name), TARGETS[name]
    with pytest.raises(fc.errors.ArgumentError, match=r"expected logits \(N, ..., classes\), got \(5,\)"):
        loss.forward_from_logits(y, LOGITS[0])
    with pytest.raises(fc.errors.ArgumentError, match="expected"):
        loss.forward_from_logits(y[:3], LOGITS)
    with pytest.raises(fc.errors.ArgumentError, match="expected"):
        loss.forward_from_logits(y, np.stack([LOGITS, LOGITS], axis=1))


# --- outputs of more dimensions, weights, reductions ------------------------------------------------------------------

SHAPE = (2, 3, 4, CLASSES)
IMAGES = np.random.default_rng(2).standard_normal(SHAPE)
LABELS = np.random.default_rng(3).integers(0, CLASSES, SHAPE[:-1])
WEIGHTS = np.random.default_rng(4).random(SHAPE[:-1])


def _numeric(loss, y, x, step=1e-6, **settings):
    """Return the gradient of the reported value, by central differences."""
    value = lambda x: loss.forward(y, x, wants_gradient=False, **settings)[0].mean()
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[i] = step
        gradient[i] = (value(x + moved) - value(x - moved)) / (2 * step)
    return gradient


def _case(name):
    """Return targets and outputs (2, 3, 4, 5) that suit a loss."""
    positive = np.exp(IMAGES) / (1 + np.exp(IMAGES))
    if "crossentropy" in name or name in ("kl_divergence", "poisson", "dice", "tversky"):
        soft = np.random.default_rng(5).random(SHAPE)
        if name.startswith("sparse"):
            return LABELS, positive
        return np.round(soft) if "masked" in name else soft, positive
    if name.startswith("box"):
        corners = np.random.default_rng(7).random((2, *SHAPE[:3], 4))
        corners[..., 2:] += corners[..., :2] + 0.3
        return tuple(corners)
    if "hinge" in name:
        return np.eye(CLASSES)[LABELS], IMAGES
    return np.abs(np.random.default_rng(6).standard_normal(SHAPE)) + 0.1, IMAGES


EVERY = sorted({cls().name for cls in fc.losses._CLASSES.values()} - {
    "circle", "categorical_generalized_cross_entropy"})  # which take labels alone: tests/losses
EVERY[EVERY.index("huber_loss")] = "huber"


#: Losses of whole samples: triplets, and pairs, which tests/vision/test_identity.py looks at.
OF_SAMPLES = ("triplet", "contrastive")


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, WEIGHTS[:, 0, 0], WEIGHTS], ids=["", "samples", "positions"])
@pytest.mark.parametrize("name", [name for name in EVERY if name not in OF_SAMPLES])
def test_the_gradient_is_that_of_the_mean_of_the_losses(name, weights, reduction):
    if name == "root_mean_squared_error" and reduction == "sum":
        return
    if name == "box_ciou":  # its gradient takes a factor for a constant: the kernel's twin does so, too
        return
    loss, (y, x) = type(fc.losses.get(name))(reduction=reduction), _case(name)
    if name in ("dice", "tversky"):
        loss = type(loss)(reduction=reduction, axis=(1, 2, 3))
        weights = None if weights is None else WEIGHTS[:, 0, 0]
    losses, gradient = loss.forward(y, x, sample_weight=weights)
    assert losses.shape == (len(x),)
    np.testing.assert_allclose(gradient, _numeric(loss, y, x, sample_weight=weights), rtol=1e-4, atol=1e-8)
    assert loss(y, x, weights) == pytest.approx(losses.mean(), rel=1e-12)
    single = loss.forward(y.astype("float32"), x.astype("float32"), sample_weight=weights)[1]
    np.testing.assert_allclose(single, gradient, rtol=2e-3, atol=2e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("name", EVERY)
def test_a_loss_survives_its_configuration(name):
    loss = fc.losses.get(name)
    again = fc.losses.get(fc.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert fc.losses.get(type(loss)).get_config() == loss.get_config()
    assert fc.losses.get(loss) is loss


@pytest.mark.parametrize("logits", [False, True])
def test_ignored_positions_have_no_loss_and_do_not_count(logits):
    y, x = LABELS.copy(), IMAGES if logits else np.exp(IMAGES)
    y[0, :2] = 255
    loss = fc.losses.SparseCategoricalCrossentropy(from_logits=logits, ignore_class=255)
    plain = fc.losses.SparseCategoricalCrossentropy(from_logits=logits)
    losses, gradient = loss.forward(y, x)
    counts = y != 255
    assert losses.mean() == pytest.approx(plain(y[counts], x[counts]), rel=1e-12)
    np.testing.assert_array_equal(gradient[~counts], 0)
    np.testing.assert_allclose(gradient[counts], plain.forward(y[counts], x[counts])[1], rtol=1e-10)
    for same in (y[..., None], y.astype(np.uint8), y.astype(np.float32)):
        np.testing.assert_array_equal(loss.forward(same, x)[1], gradient)
    loss.check(y, CLASSES)
    with pytest.raises(fc.errors.DataError, match=r"got 0\.\.255"):
        plain.check(y, CLASSES)
    nobody = loss.forward(np.full_like(y, 255), x)
    np.testing.assert_array_equal(nobody[0], 0)
    np.testing.assert_array_equal(nobody[1], 0)


@names
def test_the_logits_of_images_are_weighted_and_smoothed_like_their_probabilities(name):
    y = LABELS if name.startswith("sparse") else np.eye(CLASSES)[LABELS]
    settings = {"ignore_class": 2} if name.startswith("sparse") else {"label_smoothing": 0.1}
    loss = type(fc.losses.get(name))(**settings)
    probabilities, back = Softmax(dtype="float64").forward(IMAGES)
    losses, gradient = loss.forward(y, probabilities, sample_weight=WEIGHTS)
    got = loss.forward_from_logits(y, IMAGES, sample_weight=WEIGHTS)
    for a, b in zip(got, (losses, back(gradient), probabilities), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-15)


def test_another_axis_is_the_last_one_moved():
    for name in ("sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy",
                 "categorical_focal_crossentropy", "cosine_similarity"):
        y, x = _case(name)
        kind = type(fc.losses.get(name))
        losses, gradient = kind().forward(y, x)
        moved_x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
        moved = kind(axis=1).forward(y if y.ndim == 3 else np.moveaxis(y, -1, 1), moved_x)
        np.testing.assert_array_equal(moved[0], losses)
        np.testing.assert_array_equal(moved[1], np.moveaxis(gradient, -1, 1))
        with pytest.raises(fc.errors.ArgumentError, match="expected axis within outputs of 4 dimensions"):
            kind(axis=4).forward(y, x)


def test_without_a_reduction_a_call_gives_the_loss_of_each_position_and_nothing_trains():
    y, x = _case("mse")
    loss = fc.losses.MeanSquaredError(reduction=None)
    np.testing.assert_allclose(loss(y, x, WEIGHTS), WEIGHTS * ((x - y) ** 2).mean(axis=-1))
    with pytest.raises(fc.errors.ArgumentError, match="reduction=None leaves no number to train with"):
        loss.forward(y, x)
    with pytest.raises(fc.errors.ArgumentError, match="leaves no number"):
        fc.losses.CategoricalCrossentropy(reduction="none").forward_from_logits(np.eye(5), np.eye(5))


def test_masked_labels_have_no_loss_and_the_mean_is_over_the_known_ones():
    y = np.array([[1, 0, -1], [-1, -1, 1], [0, 1, 1], [-1, -1, -1]], float)
    x, known = np.random.default_rng(7).uniform(0.1, 0.9, y.shape), y >= 0
    each = -(y * np.log(x) + (1 - y) * np.log(1 - x))[known]
    loss = fc.losses.MaskedBinaryCrossentropy()
    losses, gradient = loss.forward(y, x)
    assert losses.mean() == pytest.approx(each.mean(), rel=1e-12)
    np.testing.assert_array_equal(gradient[~known], 0)
    np.testing.assert_allclose(gradient, _numeric(loss, y, x), rtol=1e-6, atol=1e-9)
    nan = fc.losses.MaskedBinaryCrossentropy(mask_value=np.nan)
    np.testing.assert_array_equal(nan.forward(np.where(known, y, np.nan), x)[1], gradient)
    logits = np.log(x / (1 - x))
    from_logits = fc.losses.MaskedBinaryCrossentropy(from_logits=True).forward(y, logits)
    np.testing.assert_allclose(from_logits[0], losses, rtol=1e-10)
    np.testing.assert_allclose(from_logits[1], gradient * x * (1 - x), rtol=1e-10)
    b = np.array([2.0, 0.5, 3.0])
    weighted = fc.losses.MaskedBinaryCrossentropy(positive_weight=[2.0, 0.5, 3.0])
    expected = -(b * y * np.log(x) + (1 - y) * np.log(1 - x))[known].mean()
    assert weighted(y, x) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(weighted.forward(y, x)[1], _numeric(weighted, y, x), rtol=1e-6, atol=1e-9)
    samples = np.array([1.0, 2.0, 0.0, 4.0])
    expected = -(samples[:, None] * (y * np.log(x) + (1 - y) * np.log(1 - x)))[known].mean()
    assert loss(y, x, samples) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(loss.forward(np.full_like(y, -1), x)[0], 0)
    with pytest.raises(fc.errors.ArgumentError, match="expected a positive_weight for each of 3 tasks, got 2"):
        fc.losses.MaskedBinaryCrossentropy(positive_weight=[1.0, 2.0]).forward(y, x)


def test_the_root_of_the_mean_square_is_over_the_whole_batch():
    y, x = _case("mse")
    losses, gradient = fc.losses.RootMeanSquaredError().forward(y, x)
    root = np.sqrt(((x - y) ** 2).mean())
    assert losses.mean() == pytest.approx(root, rel=1e-12)
    np.testing.assert_allclose(gradient, (x - y) / (root * x.size), rtol=1e-10)
    perfect = fc.losses.RootMeanSquaredError().forward(x, x)
    np.testing.assert_array_equal(perfect[0], 0)
    np.testing.assert_array_equal(perfect[1], 0)


@pytest.mark.parametrize("name", ["mse", "sparse_categorical_crossentropy", "masked_binary_crossentropy", "dice"])
def test_an_empty_batch_has_no_losses(name):
    y, x = _case(fc.losses.get(name).name)
    losses, gradient = fc.losses.get(name).forward(y[:0], x[:0])
    assert losses.shape == (0,)
    assert gradient.shape == (0, *x.shape[1:])


def test_what_does_not_fit_is_refused():
    mse, y = fc.losses.MeanSquaredError(), np.zeros((4, 3))
    for call, message in (
            (lambda: mse.forward(y[:, :2], y), r"mean_squared_error: expected targets of the outputs' shape \(4, 3\)"),
            (lambda: mse.forward(y, y, sample_weight=np.ones(3)), "expected sample_weight of shape"),
            (lambda: mse.forward(y, y, sample_weight=np.ones((4, 3))), r"expected sample_weight of shape"),
            (lambda: fc.losses.MeanSquaredError(reduction="average"), "reduction='average' is not known"),
            (lambda: fc.losses.MeanSquaredError(dtype="float16"), "the dtype 'float16' is not offered"),
            (lambda: fc.losses.RootMeanSquaredError(reduction="sum"), "reduction='sum' is not offered"),
            (lambda: fc.losses.Huber(delta=0), "expected a positive delta, got 0"),
            (lambda: fc.losses.BinaryCrossentropy(label_smoothing=2), "expected 0 <= label_smoothing <= 1, got 2"),
            (lambda: fc.losses.CategoricalFocalCrossentropy(gamma=-1), "expected gamma of at least 0, got -1"),
            (lambda: fc.losses.CategoricalFocalCrossentropy([1, 2]).forward(y, y), "an alpha for each of 3 classes"),
            (lambda: fc.losses.Dice().forward(y, y, sample_weight=np.ones(4)), "give axis=\\(1,\\)"),
            (lambda: fc.losses.get("mean_square_error"), "did you mean 'mean_squared_error'")):
        with pytest.raises(fc.errors.ArgumentError, match=message):
            call()


@pytest.mark.parametrize("value", ["0.5", None, np.nan, np.inf, True, [0.5]], ids=str)
@pytest.mark.parametrize("make", [
    lambda n: fc.losses.BinaryCrossentropy(label_smoothing=n), lambda n: fc.losses.CategoricalCrossentropy(True, n),
    lambda n: fc.losses.BinaryFocalCrossentropy(gamma=n), lambda n: fc.losses.BinaryFocalCrossentropy(alpha=n),
    lambda n: fc.losses.CategoricalFocalCrossentropy(gamma=n), lambda n: fc.losses.Tversky(n)])  # fmt: skip
def test_a_setting_that_is_no_number_is_refused_where_it_is_given(make, value):
    make(np.float32(0.5))
    with pytest.raises(fc.errors.ArgumentError, match=r"^\w+: expected .*, got "):
        make(value)


@pytest.mark.parametrize("shape", [(3,), (3, 3), (3, 3, 3), (3, 1, 3), (3, 1), (3, 3, 3, 1), ()], ids=str)
@pytest.mark.parametrize("kind", [fc.losses.MeanSquaredError, fc.losses.MaskedBinaryCrossentropy])
def test_weights_are_of_samples_first_in_losses_as_in_metrics(kind, shape):
    """A sample, a row and a column have one length, so that a weight in another's place would fit, too."""
    draw = np.random.default_rng(8)
    y, x, w = draw.integers(0, 2, (3, 3, 3, 2)).astype(float), draw.uniform(0.1, 0.9, (3, 3, 3, 2)), draw.random(shape)
    everywhere = np.broadcast_to(w.reshape((*shape, 1, 1, 1)[:3]), (3, 3, 3))
    loss = kind(reduction="mean_with_sample_weight")
    each = np.array([[[kind()(y[i, j, k][None], x[i, j, k][None]) for k in range(3)] for j in range(3)]
                     for i in range(3)])
    expected = (everywhere * each).sum() / everywhere.sum()
    assert loss(y, x, w) == pytest.approx(expected, rel=1e-12)
    metric = fc.metrics.MeanMetricWrapper(lambda y_true, y_pred: each)
    assert metric(y, x, w) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(2,), (3, 2), (1, 3, 3, 3), (3, 3, 3, 2)], ids=str)
def test_weights_that_fit_no_positions_are_refused(shape):
    y, w = np.zeros((3, 3, 3, 2)), np.ones(shape)
    for told in (lambda: fc.losses.MeanSquaredError()(y, y, w), lambda: fc.metrics.MeanSquaredError()(y, y, w)):
        with pytest.raises(fc.errors.ArgumentError, match=r"sample_weight of shape \(3,\) or \(3, 3, 3\), got"):
            told()


def test_a_vector_has_one_loss_and_weights_multiply_it():
    y, p = [1, 0, 1, 1], [0.9, 0.4, 0.3, 0.6]
    mse = fc.losses.MeanSquaredError
    assert mse()(y, p) == pytest.approx(0.205, rel=1e-6)
    assert mse()(y, p, [1, 2, 0, 3]) == pytest.approx(0.205 * 1.5, rel=1e-6)
    assert mse(reduction="sum")(y, p, [1, 2, 0, 3]) == pytest.approx(0.205 * 6, rel=1e-6)
    assert mse(reduction="mean_with_sample_weight")(y, p, [1, 2, 0, 3]) == pytest.approx(0.205, rel=1e-6)
    np.testing.assert_allclose(mse(reduction="none")(y, p, [1, 2]), [0.205, 0.41], rtol=1e-6)
    assert mse(reduction=None)(y, p) == pytest.approx(0.205, rel=1e-6)
    assert mse()(np.reshape(y, (4, 1)), p, [1, 0, 0, 0]) == pytest.approx(0.01 / 4, rel=1e-5)
    assert mse()(1, 0.5) == 0.25
    assert fc.losses.RootMeanSquaredError()(y, p) == pytest.approx(0.205**0.5, rel=1e-6)
    assert fc.losses.SparseCategoricalCrossentropy()(1, [0.25, 0.75]) == pytest.approx(-np.log(0.75), rel=1e-6)


def test_a_label_that_there_is_no_output_for_is_refused_by_the_loss_itself():
    with pytest.raises(fc.errors.DataError, match=r"labels 0\.\.1 for 2 outputs, got 1\.\.2"):
        fc.losses.SparseCategoricalCrossentropy()([1, 2], np.full((2, 2), 0.5))


def test_a_class_that_is_masked_by_minus_infinity_costs_nothing():
    x, y = np.array([[1.0, -np.inf, 2.0], [-np.inf, 3.0, 1.0]]), np.array([0, 1])
    want = fc.losses.SparseCategoricalCrossentropy(from_logits=True).forward(y, x)
    got = fc.losses.CategoricalCrossentropy(from_logits=True).forward(np.eye(3)[y], x)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
