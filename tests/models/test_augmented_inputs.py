"""Augmentation of models with several inputs, and of batches: the pipeline meets its pictures, and nothing else."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.callbacks import Callback
from fastcnn.errors import ArgumentError, DataError

DRAW = np.random.default_rng(0)
PICTURES = DRAW.integers(0, 256, (22, 8, 6, 3), dtype=np.uint8)
FACTS = DRAW.standard_normal((22, 4)).astype("float32")
Y = DRAW.integers(0, 3, 22)
PIPELINE = Pipeline([layers.RandomFlip("horizontal"), layers.RandomBrightness(0.2)], 5, mean=(120, 110, 100), std=60)


class Seen(Callback):
    """Keeps what the network is given."""

    def __init__(self):
        self.xs = []

    def on_train_data(self, xs):
        self.xs.append([x.copy() for x in xs])


class Numbered:
    """Batches of 5 by number."""

    def __len__(self):
        return 5

    def __getitem__(self, number):
        part = slice(5 * number, 5 * number + 5)
        return PICTURES[part], Y[part]


def network(loss="sparse_categorical_crossentropy"):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((8, 6, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D(),
                           layers.Dense(3, activation="softmax")])
    model.compile(fc.optimizers.SGD(0.01), loss)
    return model


def of_two(second="facts"):
    fc.utils.set_random_seed(1)
    picture, other = fc.Input((8, 6, 3), name="picture"), fc.Input((8, 6, 3) if second == "more" else (4,), name=second)
    flat = [layers.Flatten()(picture), layers.Flatten()(other)]
    model = fc.Model([picture, other], layers.Dense(3, activation="softmax")(layers.Concatenate()(flat)))
    model.compile(fc.optimizers.SGD(0.001), "sparse_categorical_crossentropy")
    return model


def batches(model, x, **how):
    """What the network is given in two epochs."""
    seen = Seen()
    given = {"x": x, "epochs": 2, "verbose": 0, "augmentation": PIPELINE, "callbacks": seen} | how
    model.fit(**given)
    return seen.xs


def same(some, others):
    return len(some) == len(others) and all(
        np.array_equal(a, b) for one, other in zip(some, others, strict=True) for a, b in zip(one, other, strict=True))


FORMS = {
    "a list": ([PICTURES, FACTS], PIPELINE),
    "a list, and a name": ([PICTURES, FACTS], {"picture": PIPELINE}),
    "a dict": ({"facts": FACTS, "picture": PICTURES}, PIPELINE),
    "a dict, and a name": ({"facts": FACTS, "picture": PICTURES}, {"picture": PIPELINE}),
}


@pytest.mark.parametrize("form", FORMS)
def test_of_several_inputs_the_pictures_are_changed_and_the_others_stay(form):
    x, augmentation = FORMS[form]
    model = of_two()
    found = batches(model, x, y=Y, batch_size=8, shuffle=False, augmentation=augmentation)
    for epoch in range(2):
        for k, (pictures, facts) in enumerate(found[3 * epoch:3 * epoch + 3]):
            rows = np.arange(22)[8 * k:8 * k + 8]
            np.testing.assert_array_equal(pictures, PIPELINE(PICTURES[rows], rows, epoch))
            np.testing.assert_array_equal(facts, FACTS[rows])
    still = [PIPELINE.at_rest(PICTURES), FACTS]
    np.testing.assert_array_equal(model.predict(x, augmentation=augmentation), model.predict(still))
    assert model.evaluate(x, Y, augmentation=augmentation) == model.evaluate(still, Y)
    with pytest.raises(ArgumentError, match=r"expected augmentation=.*, the pipeline that the model was"):
        model.predict(x)


def test_two_pictures_have_a_pipeline_each_and_equal_seeds_draw_the_same():
    x = [PICTURES, PICTURES[::-1].copy()]
    for seed in (5, 6):
        other = Pipeline(PIPELINE.stages, seed, mean=120, std=60)
        found = batches(of_two("more"), x, y=Y, batch_size=22, shuffle=False, epochs=1,
                        augmentation={"picture": PIPELINE, "more": other})
        rows = np.arange(22)
        np.testing.assert_array_equal(found[0][0], PIPELINE(PICTURES, rows))
        np.testing.assert_array_equal(found[0][1], other(x[1], rows))
    np.testing.assert_array_equal(
        batches(of_two("more"), [PIPELINE.at_rest(PICTURES), PICTURES], y=Y, batch_size=22, shuffle=False, epochs=1,
                augmentation={"more": PIPELINE})[0][0], PIPELINE.at_rest(PICTURES))


def test_masks_follow_the_picture_of_a_model_of_two_inputs():
    picture, facts = fc.Input((8, 6, 3)), fc.Input((4,))
    wide = layers.Reshape((8, 6, 1))(layers.Dense(48)(facts))
    model = fc.Model([picture, facts], layers.Conv2D(1, 1)(layers.Concatenate()([picture, wide])))
    model.compile(fc.optimizers.SGD(0.0), "mse")
    masks = (PICTURES[..., :1] > 99).astype("float32")
    pipeline = Pipeline([layers.RandomFlip("horizontal")], seed=5)
    samples = fc.models.data.labelled(model._trainer, [PICTURES, FACTS], masks, None, "fit", augmentation=pipeline,
                                      trains=True)
    batch = samples.batch(np.arange(22), 0)
    np.testing.assert_array_equal(batch.ys[0], batch.xs[0][..., :1] > 99)
    assert not np.array_equal(batch.ys[0], masks)


@pytest.mark.parametrize("shuffle", [True, False])
def test_what_is_drawn_for_a_batch_by_number_depends_on_its_number_and_the_epoch_alone(shuffle):
    found = batches(network(), Numbered(), shuffle=shuffle)
    assert same(found, batches(network(), Numbered(), shuffle=shuffle))
    for epoch in range(2):
        got = {x.tobytes() for (x,) in found[5 * epoch:5 * epoch + 5]}
        wanted = {PIPELINE(PICTURES[5 * k:5 * k + 5], (k << 20) + np.arange(len(PICTURES[5 * k:5 * k + 5])), epoch)
                  .tobytes() for k in range(5)}
        assert got == wanted
    assert not same(found[:5], found[5:])


def test_passes_of_an_iterable_and_parts_of_them_draw_anew_each_time():
    given = [(PICTURES[k:k + 5], Y[k:k + 5]) for k in range(0, 20, 5)]
    for steps in (None, 2):
        found = batches(network(), given, epochs=8, steps_per_epoch=steps)
        assert len({x.tobytes() for (x,) in found}) == len(found) == 8 * (steps or 4)


def test_batches_are_at_rest_in_validation_evaluation_and_prediction():
    model, pictures = network(), PIPELINE.at_rest(PICTURES)
    history = model.fit(Numbered(), augmentation=PIPELINE, validation_data=Numbered(), verbose=0).history
    assert model.evaluate(Numbered(), augmentation=PIPELINE) == history["val_loss"][-1]
    assert history["val_loss"][-1] == pytest.approx(model.evaluate(pictures, Y, batch_size=5), rel=1e-6)
    found = model.predict(Numbered(), augmentation=PIPELINE)
    np.testing.assert_array_equal(found, model.predict(pictures, batch_size=5))


def test_labels_of_batches_are_mixed_with_their_pictures():
    class Hot(Numbered):
        def __getitem__(self, number):
            x, y = super().__getitem__(number)
            return x, np.eye(3, dtype="float32")[y]

    model = network("categorical_crossentropy")
    with pytest.raises(DataError, match="expected one-hot labels"):
        network().fit(Numbered(), augmentation=Pipeline([layers.MixUp(1.0)]), verbose=0)
    assert np.isfinite(model.fit(Hot(), augmentation=Pipeline([layers.MixUp(1.0)]), verbose=0).history["loss"]).all()


WRONG = {
    "another name": ({"pictur": PIPELINE}, "input: 'pictur' is not known; did you mean 'picture'?"),
    "no pipeline": ({"picture": layers.RandomFlip()}, "or a dict of them by the names of inputs, got <RandomFlip"),
    "no picture": ({"facts": PIPELINE}, "expected images (N, H, W, C) for the pipeline, got x of shape (22, 4)"),
    "another size": (Pipeline([layers.Resizing(4, 4)]), "makes the model's input, (None, 8, 6, 3), got one that makes"),
    "mixing": (Pipeline([layers.CutMix()]), "expected layers that mix no images in a model of several inputs"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_is_told_before_anything_is_trained(what):
    augmentation, told = WRONG[what]
    model = of_two()
    with pytest.raises((ArgumentError, DataError)) as caught:
        model.fit([PICTURES, FACTS], Y, augmentation=augmentation, verbose=0)
    assert told in str(caught.value)
    assert model.optimizer.iterations == 0


def test_one_pipeline_for_two_pictures_is_refused_with_their_names():
    with pytest.raises(ArgumentError, match=r"got 2 among picture, more; name it: augmentation={'picture': ...}"):
        of_two("more").fit([PICTURES, PICTURES], Y, augmentation=PIPELINE, verbose=0)
