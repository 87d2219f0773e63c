"""Sizes left open: one model for images of any size, with one set of parameters, one optimizer, one of statistics."""

import copy
import gc
import pickle

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.graph.executable import Executable
from fastcnn.graph.replay import Capture
from fastcnn.graph.steps import GraphStep
from fastcnn.layers import Call
from fastcnn.layers.twins import SIZES

DRAW = np.random.default_rng(0)
SHAPES = [(9, 12), (16, 8), (9, 12)]


def images(height, width, samples=3):
    return DRAW.standard_normal((samples, height, width, 3)).astype(np.float32)


def classifier(height=None, width=None):
    return fc.Sequential([
        fc.Input((height, width, 3)), layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="a"),
        layers.BatchNormalization(name="b"), layers.ReLU(name="r"), layers.Dropout(0.5, seed=1, name="d"),
        layers.MaxPooling2D(padding="same", name="m"), layers.GlobalAveragePooling2D(name="g"),
        layers.Dense(2, activation="softmax", name="f")])


def unet(height=None, width=None):
    """Down and up, with a skip; a model inside that is used on two sizes; a convolution that both share."""
    shared, x = layers.Conv2D(4, 3, padding="same", name="shared"), fc.Input((None, None, 4))
    inner = fc.Model(x, layers.Add(name="sum")([shared(x), x]), name="inner")
    i = fc.Input((height, width, 3), name="i")
    wide = inner(layers.Conv2D(4, 1, name="first")(i))
    low = inner(layers.MaxPooling2D(name="half")(wide))
    up = layers.Cropping2D(((0, 0), (0, 0)), name="crop")(layers.UpSampling2D(name="up")(shared(low)))
    both = layers.Concatenate(name="both")([up, wide * 2.0])
    return fc.Model(i, layers.Conv2D(2, 1, activation="softmax", name="end")(both))


def pair(make, height, width):
    """Return a model of any size, and one of the same weights that was made for a size."""
    model, fixed = make(), make(height, width)
    fixed.set_weights(model.get_weights())
    return model, fixed


def test_shapes_tell_what_is_open():
    model = classifier()
    assert (model.input_shape, model.output_shape) == ((None, None, None, 3), (None, 2))
    assert model.get_layer("a").output_shape == (None, None, None, 4)
    assert unet().output_shape == (None, None, None, 2)
    assert fc.Input(batch_shape=(None, None, 8, 3)).shape == (None, None, 8, 3)
    assert layers.Conv2D(2, 3)(fc.Input((None, 8, 3))).shape == (None, None, 6, 2)
    assert layers.Conv2D(2, 3).compute_output_shape((None, 7, None, 3)) == (None, 5, None, 2)
    assert model.compute_output_shape((None, 9, 9, 3)) == (None, 2)


@pytest.mark.parametrize("tensor", [
    (lambda x: layers.Flatten()(x), (None, None)), (lambda x: layers.Reshape((-1, 3))(x), (None, None, 3)),
    (lambda x: layers.Permute((3, 1, 2))(x), (None, 3, None, None)),
    (lambda x: layers.Resizing(8, 9)(x), (None, 8, 9, 3)), (lambda x: layers.UpSampling2D()(x), (None, None, None, 3)),
    (lambda x: layers.AdaptiveAveragePooling2D(3)(x), (None, 3, 3, 3)),
    (lambda x: layers.Add()([x, fc.Input((16, 16, 3))]), (None, 16, 16, 3)),
    (lambda x: layers.Concatenate()([x, fc.Input((16, 16, 2))]), (None, 16, 16, 5)),
    (lambda x: layers.Concatenate(axis=1)([x, fc.Input((16, None, 3))]), (None, None, None, 3)),
    (lambda x: layers.PReLU(shared_axes=(1, 2))(x), (None, None, None, 3)),
    (lambda x: fc.ops.mean(x, axis=(1, 2)), (None, 3)), (lambda x: fc.ops.reshape(x, (-1, 3)), (None, 3)),
    (lambda x: x[:, 1:, ::2], (None, None, None, 3)), (lambda x: x + fc.ops.max(x, axis=1, keepdims=True),
                                                      (None, None, None, 3)),
])
def test_layers_and_operations_take_sizes_that_are_open(tensor):
    make, shape = tensor
    assert make(fc.Input((None, None, 3))).shape == shape


@pytest.mark.parametrize("make", [classifier, unet])
@pytest.mark.parametrize("size", [(8, 12), (16, 8)])
def test_any_size_gives_the_bits_of_a_model_that_was_made_for_it(make, size):
    model, fixed = pair(make, *size)
    model.predict(images(4, 4))
    x = images(*size)
    for verb in (lambda m: m(x), lambda m: m.predict(x), lambda m: m.predict(x[:1]), lambda m: m.predict(x[:1]),
                 lambda m: m.predict(x[:1]), lambda m: m(x, training=True), lambda m: m.predict_on_batch(x),
                 lambda m: fc.gradients(m, x)[1], lambda m: m.for_shape((None, *size, 3)).predict(x)):
        np.testing.assert_array_equal(verb(model), verb(fixed))
    y, backward = model.forward(x, Call())
    other, way = fixed.forward(x, Call())
    np.testing.assert_array_equal(backward(np.ones_like(y)), way(np.ones_like(other)))
    for p, q in zip(model.trainable_weights, fixed.trainable_weights, strict=True):
        np.testing.assert_array_equal(p.grad, q.grad)


def test_batches_of_several_sizes_train_one_model_as_models_made_for_them_with_one_optimizer():
    model, fixed = pair(classifier, 9, 12)
    batches = [(images(*size), np.array([0, 1, 1])) for size in SHAPES]
    for one in (model, fixed):
        one.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        one.seed = 3
    found = model.fit(batches, epochs=2, shuffle=False, verbose=0)
    for _ in range(2):
        for x, y in batches:
            fixed.for_shape((None, *x.shape[1:])).train_on_batch(x, y)
    assert model.optimizer.iterations == 6
    assert len(found.history["loss"]) == 2
    for a, b in zip(model.get_weights(), fixed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    loss, accuracy = model.evaluate(batches)
    each = np.mean([fixed.for_shape((None, *x.shape[1:])).evaluate(x, y) for x, y in batches], axis=0)
    np.testing.assert_allclose((loss, accuracy), each, rtol=1e-6)


def test_masks_of_any_size_are_targets():
    model = unet()
    model.compile("sgd", "crossentropy", metrics=["accuracy"])
    batches = [(images(*size), DRAW.integers(0, 2, (3, *size))) for size in ((8, 8), (4, 12))]
    assert set(model.fit(batches, verbose=0).history) == {"loss", "accuracy"}
    assert model.evaluate(*batches[1], return_dict=True).keys() == {"loss", "accuracy"}
    with pytest.raises(ArgumentError, match="for the first sample"):
        model.train_on_batch(images(8, 8), np.zeros((3, 8, 9)))


def test_a_layer_that_is_frozen_is_so_for_all_sizes_and_learns_again():
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = [images(*size) for size in SHAPES], np.array([0, 1, 1])
    model.train_on_batch(x[0], y)
    model.get_layer("f").trainable = model.get_layer("b").trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    for one in x:
        model.train_on_batch(one, y)
    kept = [np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert kept == [False, True, True, True, True, True, True]
    model.get_layer("f").trainable = True
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(x[1], y)
    assert not np.array_equal(before[-1], model.get_weights()[-1])


def test_new_weights_are_seen_by_every_size():
    model, other = classifier(), classifier()
    xs = [images(*size) for size in SHAPES[:2]]
    for x in xs * 3:
        model.predict(x[:1])  # captured
    model.set_weights(other.get_weights())
    for x in xs:
        np.testing.assert_array_equal(model.predict(x[:1]), other.predict(x[:1]))


def test_statistics_are_those_of_all_sizes():
    model = classifier()
    model(images(8, 8), training=True)
    first = model.get_layer("b").moving_mean.numpy()
    model(images(12, 16), training=True)
    assert not np.array_equal(first, model.get_layer("b").moving_mean.numpy())
    model.compile(fc.optimizers.SGD(use_ema=True), "sparse_categorical_crossentropy")
    batches = [(images(*size), np.array([0, 1, 1])) for size in SHAPES]
    model.fit(batches, verbose=0, callbacks=[fc.callbacks.SwapEMAWeights()])  # estimates them anew
    momenta = {step.node.momentum for one in model.executables.made() for step in one.whole.steps
               if isinstance(step.node, layers.BatchNormalization)}
    assert momenta == {model.get_layer("b").momentum}


@pytest.mark.parametrize("make", [classifier, unet])
def test_saved_copied_and_cloned_its_sizes_stay_open(make, tmp_path):
    model, x = make(), images(8, 12)
    model.save(tmp_path / "open.safetensors")
    want = model.predict(x)
    for other in (fc.saving.load_model(tmp_path / "open.safetensors"), pickle.loads(pickle.dumps(model)),
                  copy.deepcopy(model)):
        assert other.input_shape == (None, None, None, 3)
        np.testing.assert_array_equal(other.predict(x), want)
    assert fc.models.clone_model(model).output_shape == model.output_shape
    assert fc.models.model_from_json(model.to_json()).output_shape == model.output_shape


def test_the_summary_tells_what_is_known():
    lines = []
    classifier().summary(print_fn=lines.append)
    assert "input (N, None, None, 3)" in lines[0]
    assert "(N, None, None, 4)" in lines[0]
    assert lines[0].endswith("sizes       left open; model.for_shape(shape).summary() tells of one")


@pytest.mark.parametrize(("use", "message"), [
    (lambda: layers.Dense(2, name="e")(layers.Flatten()(fc.Input((None, None, 3)))),
     r'Dense "e": expected known sizes, which its parameters depend on, got \(N, None\)'),
    (lambda: layers.PReLU(name="p")(fc.Input((None, None, 3))), r'PReLU "p": expected known sizes, .*\(N, None, None'),
    (lambda: layers.Conv2D(2, 3, name="c")(fc.Input((8, 8, None))), r'Conv2D "c": expected known sizes'),
    (lambda: layers.LayerNormalization(axis=(1, 2, 3), name="l")(fc.Input((None, 8, 3))), 'LayerNormalization "l"'),
    (lambda: layers.Conv1D(2, 3)(fc.Input((None, None, 3))), r"got 4 dimensions, \(None, None, None, 3\)"),
    (lambda: classifier().multiply_adds(), r"expected known sizes, got input \(N, None, None, 3\); model\.for_shape"),
    (lambda: classifier().fusions(), "expected known sizes"),
    (lambda: classifier().predict(np.zeros((2, 8, 8, 4), np.float32)), r"shape \(N, None, None, 3\), got \(2, 8, 8, 4"),
    (lambda: classifier().forward(np.zeros((2, 8, 8, 4), np.float32)), r"\(N, None, None, 3\), got \(N, 8, 8, 4\)"),
    (lambda: unet().predict(images(9, 9)), 'Concatenate "both": expected inputs that differ along axis -1 alone'),
])
def test_a_mistake_is_told_by_who_needs_to_know(use, message):
    with pytest.raises(ArgumentError, match=message):
        use()


def test_outputs_of_several_sizes_are_not_joined():
    model = unet()
    batches = [images(8, 8), images(8, 12)]
    with pytest.raises(DataError, match=r"outputs are of one size, .*got \(8, 8, 2\) and \(8, 12, 2\)"):
        model.predict(iter(batches))
    assert classifier().predict(iter(batches)).shape == (6, 2)
    assert model.predict(np.zeros((0, 8, 8, 3), np.float32)).shape[0] == 0


def alive():
    """Return how many layers, tensors, steps of graphs and captured predictions there are."""
    gc.collect()
    kinds = layers.Layer, fc.layers.Tensor, Executable, GraphStep, Capture
    return sum(issubclass(type(one), kinds) for one in gc.get_objects())  # asks no object, as isinstance does


def test_only_the_last_sizes_are_kept_and_memory_does_not_grow():
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    layer, y = layers.Conv2D(2, 3), np.array([0, 1, 1])

    def pass_over(sizes):
        for n in sizes:
            x = images(n, n + 1)
            model.train_on_batch(x, y)
            for _ in range(3):
                model.predict(x[:1])
            fc.gradients(model, x)
            layer(x)

    pass_over(range(6, 26))
    assert not model.nodes
    assert not layer.nodes
    assert len(model.executables.made()) == SIZES
    assert len(layer._twins) == SIZES
    before = alive()
    pass_over(range(26, 46))
    assert alive() == before, "what was made for other sizes is gone"
    assert len(model.executables.made()) == SIZES


def test_one_thread_and_two_give_the_same_bits(two_threads):
    found = []
    for threads in (1, 2):
        fc.utils.set_random_seed(5)
        two_threads(threads)
        model = unet()
        model.compile("adam", "crossentropy")
        draw = np.random.default_rng(1)
        for size in ((8, 8), (12, 4), (8, 8)):
            model.train_on_batch(draw.random((3, *size, 3), np.float32), draw.integers(0, 2, (3, *size)))
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
