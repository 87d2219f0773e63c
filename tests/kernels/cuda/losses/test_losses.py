import numpy as np
import pytest

from fastcnn.kernels import cuda
from fastcnn.kernels import loss_codes as codes
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F, SCALE = np.float32, 0.25
NONE = np.empty(0, F)
REGRESSION = ("SQUARED", "ABSOLUTE", "PERCENTAGE", "SQUARED_LOGARITHMIC", "HUBER", "LOG_COSH", "HINGE", "SQUARED_HINGE")
BINARY = ("POISSON", "KL_DIVERGENCE", "BINARY", "BINARY_LOGITS", "FOCAL", "FOCAL_LOGITS")
OF_PROBABILITIES = ("KL_DIVERGENCE", "BINARY", "FOCAL", "POISSON", "SQUARED_LOGARITHMIC")
SETTINGS = {"HUBER": (0.7, 0.0, 0.0), "FOCAL": (2.0, 0.75, -0.5), "FOCAL_LOGITS": (1.5, 1.0, 0.0),
            "TVERSKY": (0.3, 0.6, 1e-7)}

sizes = pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 2), (3, 7), (2, 13)], ids=str)
weighted = pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])


def _weights(count, weighted):
    weights = np.random.default_rng(5).random(count if weighted else 0).astype(F)
    weights[::3] = 0
    return weights


def _run(launcher, x, targets, weights, *settings, outputs=2):
    """Return losses, gradients and what else is written, after a run for losses alone, which are the same."""
    kernel, none = on_cuda(launcher), np.empty((0, x.shape[1]), F)
    losses, *wanted = (unwritten(*shape, dtype=F) for shape in (x.shape[:1], *[x.shape] * (outputs - 1)))
    alone = unwritten(len(x), dtype=F)
    with inputs_unchanged(x, targets, weights):
        kernel(losses, *wanted, x, targets, weights, *settings)
        kernel(alone, *[none] * (outputs - 1), x, targets, weights, *settings)
    np.testing.assert_array_equal(alone, losses)
    return losses, *wanted


def _agree(results, expected, factor=1):
    for got, wanted in zip(results, expected, strict=True):
        assert_close(got, wanted, factor=factor)


def _labels(shape):
    return np.random.default_rng(3).integers(0, shape[1], shape[0])


def _soft(shape):
    return np.random.default_rng(4).random(shape).astype(F)


@sizes
@weighted
def test_cross_entropy_of_logits_agrees_with_its_twin(shape, weighted):
    x, weights = 3 * random(*shape, dtype=F), _weights(shape[0], weighted)
    for name, targets in (("softmax_sparse_categorical_crossentropy", _labels(shape)),
                          ("softmax_categorical_crossentropy", _soft(shape))):
        _agree(_run(getattr(cuda, name), x, targets, weights, SCALE, outputs=3),
               getattr(reference, name)(x, targets, weights, SCALE))


@sizes
@weighted
def test_cross_entropy_of_probabilities_agrees_with_its_twin(shape, weighted):
    x, weights = np.exp(random(*shape)), _weights(shape[0], weighted)
    x = (x / (x.sum(axis=1, keepdims=True) if shape[1] > 1 else 1 + x)).astype(F)
    _agree(_run(cuda.sparse_categorical_crossentropy, x, _labels(shape), weights, SCALE),
           reference.sparse_categorical_crossentropy(x, _labels(shape), weights, SCALE))
    for gamma in (0.0, 1.5):
        _agree(_run(cuda.categorical_crossentropy, x, _soft(shape), weights, gamma, SCALE),
               reference.categorical_crossentropy(x, _soft(shape), weights, gamma, SCALE), factor=4)


def test_a_label_beyond_the_classes_gives_nan_in_its_row_unless_it_has_no_weight():
    labels = np.array([-1, 3, 1, 2])
    for name, outputs in (("softmax_sparse_categorical_crossentropy", 3), ("sparse_categorical_crossentropy", 2)):
        x = np.full((4, 3), 1 / 3, F)
        losses, dx, *_ = _run(getattr(cuda, name), x, labels, np.array([1, 0, 1, 1], F), SCALE, outputs=outputs)
        assert np.isnan(losses).tolist() == [True, False, False, False]
        assert np.isnan(dx).all(axis=1).tolist() == [True, False, False, False]
        np.testing.assert_array_equal(dx[1], 0)


@pytest.mark.parametrize("name", [*REGRESSION, *BINARY])
def test_losses_of_elements_agree_with_their_twin(name):
    regression, draw = name in REGRESSION, np.random.default_rng(4)
    launcher = cuda.elementwise_loss if regression else cuda.binary_loss
    twin = reference.elementwise_loss if regression else reference.binary_loss
    for shape, weights in (((0, 3), NONE), ((5, 2), _weights(5, True)), ((3, 7), _weights(21, True)), ((2, 11), NONE)):
        if name in OF_PROBABILITIES:
            x, targets = draw.uniform(0.05, 0.95, shape).astype(F), draw.random(shape).astype(F)
        else:
            targets = draw.random(shape) if name.startswith(("BINARY", "FOCAL")) else draw.choice([-1.0, 1.0], shape)
            x, targets = (1 if name == "FOCAL_LOGITS" else 3) * random(*shape, dtype=F), targets.astype(F)
        settings = getattr(codes, name), *SETTINGS.get(name, (0.0, 0.0, 0.0)), 1 / shape[1], SCALE
        losses, dx, alone = unwritten(shape[0], dtype=F), unwritten(*shape, dtype=F), unwritten(shape[0], dtype=F)
        with inputs_unchanged(x, targets, weights):
            on_cuda(launcher)(losses, dx, x, targets, weights, *settings, True)
            on_cuda(launcher)(alone, np.empty_like(dx), x, targets, weights, *settings, False)
        np.testing.assert_array_equal(alone, losses)
        _agree((losses, dx), twin(x, targets, weights, *settings), factor=8 if name == "FOCAL_LOGITS" else 2)


@sizes
@weighted
@pytest.mark.parametrize("name", ["COSINE", "CATEGORICAL_HINGE", "TVERSKY"])
def test_row_loss_agrees_with_its_twin(name, shape, weighted):
    draw, weights = np.random.default_rng(4), _weights(shape[0], weighted)
    x = draw.random(shape).astype(F) if name == "TVERSKY" else random(*shape, dtype=F)
    targets = np.eye(shape[1])[_labels(shape)] if name != "COSINE" else draw.random(shape)
    settings = getattr(codes, name), *SETTINGS.get(name, (0.0, 0.0, 0.0)), SCALE
    losses, dx = _run(cuda.row_loss, x, targets.astype(F), weights, *settings)
    expected = reference.row_loss(x, targets.astype(F), weights, *settings)
    assert_close(losses, expected[0])
    if name == "COSINE" and shape[1] == 1:
        np.testing.assert_allclose(dx, 0, atol=1e-5)  # along x nothing changes
    else:
        assert_close(dx, expected[1], factor=2)


def test_the_cosine_of_nothing_is_nought_and_of_equally_wrong_classes_the_first_is_the_worst():
    x, targets = np.array([[0, 0], [1, 2]], F), np.array([[1, 0], [0, 0]], F)
    losses, dx = _run(cuda.row_loss, x, targets, NONE, codes.COSINE, 0.0, 0.0, 0.0, SCALE)
    np.testing.assert_array_equal(losses, 0)
    np.testing.assert_array_equal(dx[1], 0)
    x, targets = np.array([[0, 2, 1, 2, 2]], F), np.array([[1, 0, 0, 0, 0]], F)
    _, dx = _run(cuda.row_loss, x, targets, NONE, codes.CATEGORICAL_HINGE, 0.0, 0.0, 0.0, 1.0)
    np.testing.assert_array_equal(dx, [[-1, 1, 0, 0, 0]])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (4, 1), (2, 5), (3, 40)], ids=str)
def test_folded_losses_are_means_of_rows(shape):
    values, losses = random(*shape, dtype=F), unwritten(shape[0], dtype=F)
    with inputs_unchanged(values):
        on_cuda(cuda.fold_losses)(losses, values, 1.5)
    assert_close(losses, reference.fold_losses(values, 1.5) if values.size else np.zeros(shape[0]))
