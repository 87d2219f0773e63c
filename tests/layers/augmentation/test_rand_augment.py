"""RandAugment: what it draws, and that each kind does what its own layer does."""

import numpy as np
import pytest
from scipy import stats

from fastcnn import augmentation, layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call
from fastcnn.layers.augmentation import rand_augment as kinds
from fastcnn.operations.augmentation.draws import Draws

X = np.random.default_rng(0).uniform(20, 220, (1, 9, 8, 3)).repeat(600, axis=0)


def drawn(layer, n=600):
    """Return the kinds that were drawn, and the images after each of them."""
    draws = Draws((1, 2), np.arange(n))
    return draws.below(11), layer.changes(Draws((1, 2), np.arange(n)), (9, 8, 3))


def applied(changes, x):
    for change in changes:
        x = change.images(x)[0].copy()
    return x


def test_all_kinds_are_drawn_as_often_and_each_does_what_its_layer_does():
    layer = layers.RandAugment(num_ops=1, factor=(0.3, 0.3))
    kind, changes = drawn(layer)
    assert stats.chisquare(np.bincount(kind, minlength=11)).pvalue > 1e-4
    y = applied(changes, X)
    like = {kinds._TRANSLATE: layers.RandomTranslation((0.3, 0.3), (0.3, 0.3)),
            kinds._ROTATE: layers.RandomRotation((0.3, 0.3)), kinds._BRIGHTEN: layers.RandomBrightness((0.3, 0.3))}
    one = X[:1].astype(np.float32)
    for number, other in like.items():
        np.testing.assert_allclose(y[kind == number], other(one).repeat((kind == number).sum(), axis=0), atol=1e-3)
    for number in range(11):
        assert (y[kind == number] != X[0]).any(axis=(1, 2, 3)).all(), number
        assert y.min() >= 0
        assert y.max() <= 255
    stretched = y[kind == kinds._STRETCH][0]
    np.testing.assert_allclose(stretched.min(axis=(0, 1)), 0, atol=1e-9)
    np.testing.assert_allclose(stretched.max(axis=(0, 1)), 255, atol=1e-9)
    paler = 0.7 * X[0] + 0.3 * (X[0] @ [0.2989, 0.587, 0.114])[..., None]
    np.testing.assert_allclose(y[kind == kinds._PALE][0], paler, atol=1e-9)
    contrast = X[0].mean(axis=(0, 1)) + 1.3 * (X[0] - X[0].mean(axis=(0, 1)))
    np.testing.assert_allclose(y[kind == kinds._CONTRAST][0], np.clip(contrast, 0, 255), atol=1e-9)
    assert len(np.unique(y[kind == kinds._POSTERIZE])) <= 2


def test_an_image_has_changes_of_its_own_that_its_place_and_the_step_decide():
    layer, same = layers.RandAugment(seed=1), X[:12].astype(np.float32)
    whole = layer.forward(same, Call(step=4))[0].copy()
    assert len({one.tobytes() for one in whole}) > 8
    np.testing.assert_array_equal(layer.forward(same[:5], Call(step=4))[0], whole[:5])
    assert (layer.forward(same, Call(step=5))[0] != whole).any()


def test_a_pipeline_does_the_same_and_masks_go_along():
    x, at = X[:20].astype(np.uint8), np.arange(20)
    pipeline = augmentation.Pipeline([layers.RandAugment(num_ops=3)], seed=5, mean=100.0, std=50.0)
    out = pipeline.augmented(x, at, 1, masks=x[..., :1])
    np.testing.assert_array_equal(pipeline(x[7:8], at[7:8], 1)[0], out.images[7])
    assert set(np.unique(out.masks)) <= set(np.unique(x[..., 0]))
    want = applied(pipeline.stages[0].changes(Draws((5, 1), at).stage(0), (9, 8, 3)), x.astype(np.float64))
    assert np.mean(np.abs(out.images - (want - 100) / 50) < 1e-3) > 0.97  # a tone on a step may be the other one


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.RandAugment(factor=1.5), "from 0 to 1, got 1.5"),
    (lambda: layers.RandAugment(num_ops=0), "expected num_ops to be a positive integer"),
    (lambda: layers.RandAugment(num_ops=1000), "expected num_ops of at most 100"),
    (lambda: layers.RandAugment(interpolation="cubic"), "'cubic' is not known"),
    (lambda: layers.RandAugment().build((None, 4, 4, 2)), "expected images of 3 channels"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
