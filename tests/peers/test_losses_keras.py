"""Losses beside Keras: the reported value, and its gradient by PyTorch's automatic differentiation."""

import numpy as np
import pytest

import fastcnn as fc

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

# Keras makes tensors of its variables in a way that NumPy warns of.
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]

N, CLASSES = 6, 5
SHAPE = (2, 3, 4, CLASSES)
draw = np.random.default_rng(0)
X, IMAGES = draw.standard_normal((N, CLASSES)), draw.standard_normal(SHAPE)
LABELS, PIXELS = draw.integers(0, CLASSES, N), draw.integers(0, CLASSES, SHAPE[:-1])
TOLERANCE = 5e-7  # Keras does some steps in float32 whatever the type, a division by the number of losses for one
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight")


def _soft(shape):
    return np.random.default_rng(1).dirichlet(np.ones(shape[-1]), shape[:-1])


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _binary(shape):
    return np.random.default_rng(2).integers(0, 2, shape).astype(float)


def _far(shape):
    """Targets away from X and IMAGES, and away from 0."""
    return np.random.default_rng(3).choice([-1.0, 1.0], shape) * np.random.default_rng(4).uniform(0.5, 3, shape)


# name: (arguments, targets of a shape, what makes outputs of normal numbers)
CASES = {
    "MeanSquaredError": ({}, _far, None),
    "MeanAbsoluteError": ({}, _far, None),
    "MeanAbsolutePercentageError": ({}, _far, None),
    "MeanSquaredLogarithmicError": ({}, _far, None),
    "Huber": ({"delta": 0.7}, _far, None),
    "LogCosh": ({}, _far, None),
    "Hinge": ({}, _binary, None),
    "Hinge of signs": ({}, lambda shape: 2 * _binary(shape) - 1, None),
    "SquaredHinge": ({}, _binary, None),
    "CategoricalHinge": ({}, lambda shape: np.eye(shape[-1])[_labels(shape)], None),
    "Poisson": ({}, lambda shape: np.abs(_far(shape)), _sigmoid),
    "KLDivergence": ({}, _soft, _sigmoid),
    "CosineSimilarity": ({}, _far, None),
    "CosineSimilarity over an axis": ({"axis": 1}, _far, None),
    "BinaryCrossentropy": ({}, _binary, _sigmoid),
    "BinaryCrossentropy, logits": ({"from_logits": True, "label_smoothing": 0.2}, _binary, None),
    "BinaryCrossentropy, smooth": ({"label_smoothing": 0.1, "axis": 1}, _binary, _sigmoid),
    "BinaryFocalCrossentropy": ({"gamma": 1.5}, _binary, _sigmoid),
    "BinaryFocalCrossentropy, logits": ({"apply_class_balancing": True, "from_logits": True}, _binary, None),
    "CategoricalCrossentropy": ({}, _soft, _sigmoid),
    "CategoricalCrossentropy, logits": ({"from_logits": True, "label_smoothing": 0.1}, _soft, None),
    "CategoricalFocalCrossentropy": ({"alpha": [0.1, 0.2, 0.3, 0.4, 0.5], "label_smoothing": 0.1}, _soft, _sigmoid),
    "CategoricalFocalCrossentropy, logits": ({"gamma": 3.0, "from_logits": True}, _soft, None),
    "SparseCategoricalCrossentropy": ({}, lambda shape: _labels(shape), _sigmoid),
    "SparseCategoricalCrossentropy, logits": ({"from_logits": True}, lambda shape: _labels(shape)[..., None], None),
    "SparseCategoricalCrossentropy, ignored": (
        {"from_logits": True, "ignore_class": 2}, lambda shape: _labels(shape), None),
    "SparseCategoricalCrossentropy, ignored probabilities": (
        {"ignore_class": -1}, lambda shape: np.where(_labels(shape) == 1, -1, _labels(shape)), _sigmoid),
}


def _labels(shape):
    return LABELS if len(shape) == 2 else PIXELS


def _keras(loss, y, x, sample_weight=None):
    x = torch.tensor(x, requires_grad=True)
    value = loss(torch.tensor(y), x, None if sample_weight is None else torch.tensor(sample_weight))
    value.backward()
    return value.item(), x.grad.numpy()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("image", [False, True], ids=["rows", "images"])
@pytest.mark.parametrize("case", CASES)
def test_a_loss_and_its_gradient_are_kerass(case, image, weighted, reduction):
    arguments, targets, outputs = CASES[case]
    x = IMAGES if image else X
    y, x = targets(x.shape), x if outputs is None else outputs(x)
    if arguments.get("axis", -1) != -1 and not image:
        arguments = {**arguments, "axis": -1}
    shape = np.delete(np.array(x.shape), arguments.get("axis", -1))
    weights = np.random.default_rng(5).random(shape) if weighted else None
    name = case.partition(",")[0].partition(" ")[0]
    ours = getattr(fc.losses, name)(**arguments, reduction=reduction)
    theirs = getattr(keras.losses, name)(**arguments, reduction=reduction, dtype="float64")
    if image and name.startswith("Sparse") and "from_logits" not in arguments:
        # PyTorch's backward pass of nll_loss wants images channels-first; the positions as rows are the same loss.
        value, gradient = _keras(theirs, y.reshape(-1), x.reshape(-1, CLASSES),
                                 None if weights is None else weights.reshape(-1))
        gradient = gradient.reshape(x.shape)
    else:
        value, gradient = _keras(theirs, y, x, weights)
    losses, got = ours.forward(y, x, sample_weight=weights)
    assert losses.mean() == pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE / 10)
    np.testing.assert_allclose(got, gradient, rtol=2e-6, atol=2e-7 * np.abs(gradient).max())
    single = ours.forward(y, x.astype(np.float32), sample_weight=weights)
    assert single[0].mean() == pytest.approx(value, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(single[1], gradient, rtol=1e-4, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("axis", [None, (1, 2, 3), (1, 2)], ids=str)
@pytest.mark.parametrize(("name", "arguments"), [("Dice", {}), ("Tversky", {"alpha": 0.3, "beta": 0.6})])
def test_losses_of_masks_are_kerass(name, arguments, axis):
    y, x = _binary(SHAPE), _sigmoid(IMAGES)
    value, gradient = _keras(getattr(keras.losses, name)(**arguments, axis=axis, dtype="float64"), y, x)
    losses, got = getattr(fc.losses, name)(**arguments, axis=axis).forward(y, x)
    assert losses.shape == (2,)
    assert losses.mean() == pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE / 10)
    np.testing.assert_allclose(got, gradient, rtol=TOLERANCE, atol=1e-12)


def test_masked_binary_crossentropy_is_kerass_of_the_known_labels():
    y, x = _binary((N, CLASSES)), _sigmoid(X)
    known = np.random.default_rng(6).random(y.shape) < 0.6
    value, gradient = _keras(keras.losses.BinaryCrossentropy(dtype="float64"), y[known], x[known])
    losses, got = fc.losses.MaskedBinaryCrossentropy().forward(np.where(known, y, -1), x)
    assert losses.mean() == pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE / 10)
    np.testing.assert_allclose(got[known], gradient, rtol=TOLERANCE)
    np.testing.assert_array_equal(got[~known], 0)
    weights = [1.0, 2.0, 0.5, 3.0, 0.0]
    peer = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weights, dtype=torch.float64), reduction="none")
    tensor = torch.tensor(X, requires_grad=True)
    value = peer(tensor, torch.tensor(y))[torch.tensor(known)].mean()
    value.backward()
    losses, got = fc.losses.MaskedBinaryCrossentropy(positive_weight=weights, from_logits=True).forward(
        np.where(known, y, -1), X)
    assert losses.mean() == pytest.approx(value.item(), rel=TOLERANCE, abs=TOLERANCE / 10)
    np.testing.assert_allclose(got, tensor.grad.numpy(), rtol=TOLERANCE, atol=1e-15)


def test_the_root_of_the_mean_square_is_kerass_metric():
    metric = keras.metrics.RootMeanSquaredError(dtype="float64")
    metric.update_state(_far(SHAPE), IMAGES)
    expected = float(metric.result())
    assert fc.losses.RootMeanSquaredError()(_far(SHAPE), IMAGES) == pytest.approx(expected, rel=TOLERANCE)


@pytest.mark.parametrize("name", sorted(
    {cls.__name__ for cls in vars(keras.losses).values() if isinstance(cls, type)} & set(fc.losses.__all__) - {"Loss"}))
def test_constructors_take_kerass_arguments_in_kerass_order_with_kerass_defaults(name):
    import inspect

    ours, theirs = (list(inspect.signature(getattr(m, name).__init__).parameters.values())[1:]
                    for m in (fc.losses, keras.losses))
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]
    assert getattr(keras.losses, name)().get_config().items() <= getattr(fc.losses, name)().get_config().items()


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.0, 3.0]])
@pytest.mark.parametrize("reduction", [*REDUCTIONS, "none"])
@pytest.mark.parametrize("name", [name for name in fc.losses._CLASSES if hasattr(keras.losses, name)
                                  and not name.startswith(("Sparse", "Circle", "CategoricalGeneralized"))])
def test_a_loss_of_a_vector_is_kerass(name, reduction, weights):
    y, p = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.9, 0.4, 0.3, 0.6])
    weights = None if weights is None else np.array(weights)
    for form in (y, y.astype(int), y > 0):
        ours, theirs = (getattr(m.losses, name)(reduction=reduction)(form, p, weights) for m in (fc, keras))
        np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), rtol=1e-5)


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy", "Huber", "CategoricalHinge"])
def test_a_vector_beside_a_column_is_a_column(name):
    y, p, w = np.array([[1.0], [0.0], [1.0]]), np.array([0.9, 0.4, 0.3]), np.array([1.0, 0.5, 3.0])
    ours, theirs = (getattr(m.losses, name)()(y, p, w) for m in (fc, keras))
    assert ours == pytest.approx(float(theirs), rel=1e-5)
