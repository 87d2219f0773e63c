"""What targets and weights are taken: everything else is one sentence, before anything is trained or changed."""

import tracemalloc

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.losses import targets

N = 12
X = np.random.default_rng(0).standard_normal((N, 4)).astype(np.float32)
LABELS, ROWS = np.arange(N) % 3, np.eye(3)[np.arange(N) % 3]
NAN, INF = np.nan, np.inf


def model(loss, out=3):
    last = {"sparse": "softmax", "catego": "softmax", "binary": "sigmoid"}.get(str(loss)[:6])
    made = fc.Sequential([fc.Input((4,)), layers.Dense(out, activation=last)])
    made.compile("sgd", loss)
    return made


def last(y, value, dtype=np.float64):
    """Targets of which the last element is something else."""
    y = np.array(y, dtype)
    y.reshape(-1)[-1] = value
    return y


REFUSED = {
    "labels that are NaN": ("sparse_categorical_crossentropy", last(LABELS, NAN), "labels 0..2 .* got NaN among them"),
    "infinite labels": ("sparse_categorical_crossentropy", last(LABELS, INF), r"labels 0\.\.2 .* got 0\.0\.\.inf"),
    "labels between": ("sparse_categorical_crossentropy", last(LABELS, 1.7), r"whole numbers, got 1\.7 among them"),
    "labels beyond": ("sparse_categorical_crossentropy", LABELS + 1, r"labels 0\.\.2 for 3 outputs, got 1\.\.3"),
    "labels below": ("sparse_categorical_crossentropy", last(LABELS, -1, int), r"got -1\.\.2"),
    "NaN beside the ignored": (fc.losses.SparseCategoricalCrossentropy(ignore_class=255),
                               np.where(LABELS == 1, 255, last(LABELS, NAN)), "NaN among them"),
    "NaN in rows": ("categorical_crossentropy", last(ROWS, NAN), "targets from 0 to 1, got NaN .*to_categorical"),
    "rows beyond": ("categorical_crossentropy", 3 * ROWS, r"from 0 to 1, got 0\.0\.\.3\.0"),
    "masks of bytes": ("binary_crossentropy", (255 * ROWS).astype(np.uint8), r"got 0\.\.255; divide masks .* by 255"),
    "signs": ("binary_crossentropy", 2 * ROWS - 1, r"got -1\.0\.\.1\.0; .*labels -1 and 1"),
    "NaN of two classes": ("binary_crossentropy", last(ROWS, NAN), "NaN among them"),
    "focal": (fc.losses.BinaryFocalCrossentropy(), 2 * ROWS, "from 0 to 1"),
    "unknown labels": (fc.losses.MaskedBinaryCrossentropy(), last(np.where(ROWS > 0, -1, 1), 2), r"got 1\.0\.\.2\.0"),
    "NaN in regression": ("mse", last(ROWS, NAN), "finite targets, got NaN"),
    "infinity in regression": ("huber", last(ROWS, -INF), r"finite targets, got -inf\.\.1\.0"),
    "infinity of float32": ("mae", last(ROWS, INF, np.float32), r"got 0\.0\.\.inf"),
    "counts below": ("poisson", last(ROWS, -1), "at least 0, counts"),
    "margins": ("hinge", 255 * ROWS, "from -1 to 1"), "areas": ("dice", 255 * ROWS, "from 0 to 1"),
    "divergence": ("kl_divergence", -ROWS, "from 0 to 1"), "directions": ("cosine_similarity", last(ROWS, NAN), "NaN"),
}  # fmt: skip
VERBS = {
    "fit": lambda m, y: m.fit(X, y, verbose=0), "evaluate": lambda m, y: m.evaluate(X, y),
    "train_on_batch": lambda m, y: m.train_on_batch(X, y), "test_on_batch": lambda m, y: m.test_on_batch(X, y),
    "fit: validation_data": lambda m, y: m.fit(X, LABELS if y.ndim == 1 else ROWS, validation_data=(X, y), verbose=0),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("case", REFUSED)
def test_targets_that_a_loss_does_not_take_are_refused_before_the_first_step(case, verb):
    loss, y, text = REFUSED[case]
    made = model(loss)
    before = made.get_weights()
    with pytest.raises(DataError, match=rf"{verb}: .*expected .*{text}"):
        VERBS[verb](made, y)
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_second_batch_is_looked_at_like_the_first():
    made = model("sparse_categorical_crossentropy")
    for _ in range(2):
        made.train_on_batch(X, LABELS)
        for wrong in (LABELS + 1, last(LABELS, NAN), last(LABELS, 0.5)):
            with pytest.raises(DataError, match="labels"):
                made.train_on_batch(X, wrong)
            with pytest.raises(DataError, match="labels"):
                made.test_on_batch(X, wrong)


@pytest.mark.parametrize(("loss", "y"), [
    ("sparse_categorical_crossentropy", LABELS.astype(np.float16)), ("sparse_categorical_crossentropy", LABELS > 0),
    ("sparse_categorical_crossentropy", LABELS.astype(">i4")), ("mse", 1e15 * ROWS), ("mse", ROWS > 0),
    (fc.losses.SparseCategoricalCrossentropy(ignore_class=255), np.where(LABELS == 1, 255, LABELS).astype(np.uint8)),
    (fc.losses.SparseCategoricalCrossentropy(ignore_class=-1), np.full(N, -1)),
    (fc.losses.MaskedBinaryCrossentropy(np.nan), last(ROWS, NAN)), (fc.losses.MaskedBinaryCrossentropy(), -ROWS),
    (fc.losses.CategoricalCrossentropy(label_smoothing=0.1), ROWS), ("binary_crossentropy", ROWS / 3),
    ("hinge", 2 * ROWS - 1), ("hinge", ROWS), ("msle", -ROWS), ("categorical_crossentropy", np.full((N, 3), 1 / 3))])
def test_what_is_right_stays_so(loss, y):
    assert np.isfinite(model(loss).evaluate(X, y))


def test_a_loss_of_one_s_own_takes_what_it_likes_until_it_says_otherwise():
    class Own(fc.losses.Loss):
        def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
            known = np.where(np.isnan(y_true), y_pred, y_true).astype(y_pred.dtype)
            return np.square(y_pred - known).mean(-1), 2 * (y_pred - known) / y_pred.size

    class Bounded(Own):
        takes = targets.SHARES

    assert np.isfinite(model(Own()).train_on_batch(X, last(ROWS, NAN)))
    with pytest.raises(DataError, match="from 0 to 1"):
        model(Bounded()).train_on_batch(X, last(ROWS, NAN))


def test_rows_that_do_not_sum_to_one_are_warned_of_and_taken_as_in_keras():
    y = np.minimum(ROWS + 0.5, 1)
    for loss in ("categorical_crossentropy", "kl_divergence"):
        made = model(loss)
        with pytest.warns(UserWarning, match=r"fit: .*rows of targets that sum to 1, got one that sums to 2; "):
            made.fit(X, y, verbose=0)
        with pytest.warns(UserWarning, match="train_on_batch: .*sum to 1") as told:
            model(loss).train_on_batch(X, y)
        assert told[0].filename == __file__
    made.train_on_batch(X, y)  # told once: fit said so
    model("categorical_crossentropy").fit(X, ROWS[..., None], verbose=0)  # rows all the same


def test_weights_are_finite_and_those_that_train_are_not_negative():
    made = model("mse")
    for value in (NAN, INF, -INF):
        weights = last(np.ones(N), value)
        for verb in (made.fit, made.evaluate, made.train_on_batch, made.test_on_batch):
            with pytest.raises(DataError, match="sample_weight: expected finite weights"):
                verb(X, ROWS, sample_weight=weights)
        with pytest.raises(ArgumentError, match="expected a finite number of at least 0 as the factor of class 1"):
            made.fit(X, ROWS, class_weight={1: value}, verbose=0)
    weights = last(np.ones(N), -1)
    for verb in (made.fit, made.train_on_batch):
        with pytest.raises(DataError, match=r"finite weights of at least 0, got -1\.0\.\.1\.0"):
            verb(X, ROWS, sample_weight=weights)
    with pytest.raises(DataError, match="validation_data: sample_weight: expected finite"):
        made.fit(X, ROWS, validation_data=(X, ROWS, last(np.ones(N), NAN)), verbose=0)
    with pytest.raises(ArgumentError, match="at least 0 as the factor of class 2"):
        made.fit(X, ROWS, class_weight={2: -0.5}, verbose=0)
    assert made.evaluate(X, ROWS, sample_weight=weights) < made.evaluate(X, ROWS)  # which trains nothing


def test_all_of_several_outputs_are_looked_at():
    x = fc.Input((4,))
    made = fc.Model(x, [layers.Dense(3, name="a")(x), layers.Dense(3, name="b", activation="softmax")(x)])
    made.compile("sgd", ["mse", "sparse_categorical_crossentropy"])
    with pytest.raises(DataError, match="labels"):
        made.fit(X, [ROWS, LABELS + 1], verbose=0)
    with pytest.raises(DataError, match="finite targets"):
        made.fit(X, [last(ROWS, NAN), LABELS], verbose=0)


def test_classes_along_another_axis_are_counted_there():
    loss = fc.losses.SparseCategoricalCrossentropy(from_logits=True, axis=1)
    made = fc.Sequential([fc.Input((3, 5)), layers.Linear()])
    made.compile("sgd", loss)
    x = np.zeros((2, 3, 5), np.float32)
    made.evaluate(x, np.full((2, 5), 2))
    with pytest.raises(DataError, match=r"labels 0\.\.2 for 3 outputs, got 3\.\.3"):
        made.evaluate(x, np.full((2, 5), 3))


@pytest.mark.parametrize("loss", ["mse", "categorical_crossentropy", "sparse_categorical_crossentropy",
                                  fc.losses.SparseCategoricalCrossentropy(ignore_class=1)])
def test_looking_at_many_targets_takes_little_memory(loss):
    loss = fc.losses.get(loss)
    y = np.zeros((200_000, 8)) if isinstance(loss, fc.losses.SparseCategoricalCrossentropy) else np.eye(8)[
        np.zeros(200_000, int)]
    tracemalloc.start()
    loss.check(y, 8)
    assert loss.doubt(y) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < y.nbytes / 2
