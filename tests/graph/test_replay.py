"""Captured predictions: predictions of small batches are the same bits as without, whatever happens between them."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, device, layers
from fastcnn.graph import replay
from fastcnn.graph.arena import offsets
from fastcnn.graph.replay import Capture
from fastcnn.kernels.cpu.simd.width import lanes
from tests.checks import ROWS, listed


def lenet():
    fc.utils.set_random_seed(2)
    return fc.applications.LeNet5()


def images(n, seed=0):
    return np.random.default_rng(seed).random((n, 28, 28, 1), dtype=np.float32)


def without_plan(model, x):
    config.set_fusion(False)
    try:
        return model.predict(x)
    finally:
        config.set_fusion(True)


def captured_of(model, x):
    """Return a tested capture of a model's prediction."""
    infer = model._executable._infer if isinstance(model, fc.Model) else model
    ys, capture = infer([x]), Capture(infer, [x])
    capture.check([x], ys)
    return capture


_CASES = [pytest.param(case, id=f"{kind} {case.name}") for kind, case in ROWS if kind != "InputLayer"]


@pytest.mark.parametrize("case", _CASES)
def test_every_layer_predicts_the_same_by_a_plan(case, monkeypatch):
    monkeypatch.setattr(replay, "_COPIED", 0)  # kernels read what they are given, however small it is
    layer = case.make(dtype="float32")
    inputs = [fc.Input(shape) for shape in listed(case.shape)]
    # A layer of several inputs gets them from one, so that there is a plan.
    begin = fc.Input((3,))
    tensors = [layers.Reshape(i.shape[1:])(layers.Dense(int(np.prod(i.shape[1:])))(begin)) for i in inputs]
    model = (fc.Model(begin, layer(tensors)) if layer.many_inputs else fc.Model(inputs[0], layer(inputs[0])))
    shape = model.input_shape[1:]
    x, other = (np.random.default_rng(seed).standard_normal((2, *shape)).astype("float32") for seed in (1, 2))
    expected = without_plan(model, other).copy() if layer.many_inputs else layer.predict(other).copy()
    for _ in range(3):
        model.predict(x)
    assert all(isinstance(one, Capture) for one in model._executable.replay._captures.values())
    assert model._executable.replay._captures
    before = other.copy()
    np.testing.assert_array_equal(model.predict(other), expected)
    np.testing.assert_array_equal(other, before)


def test_a_large_input_is_read_where_it_lies_and_not_kept():
    fc.utils.set_random_seed(2)
    inputs = fc.Input((96, 80, 3))
    y = layers.Conv2D(3, 3, padding="same")(inputs)
    model = fc.Model(inputs, layers.Flatten()(layers.Add()([inputs, y])))
    rng = np.random.default_rng(0)
    pictures = [rng.standard_normal((2, 96, 80, 3)).astype("float32") for _ in range(3)]
    expected = [without_plan(model, x).copy() for x in pictures]
    for _ in range(3):
        model.predict(pictures[0])
    for x, y in zip(pictures, expected, strict=True):
        readers, before = sys.getrefcount(x), x.copy()
        np.testing.assert_allclose(model.predict(x), y, atol=1e-5)  # fused: the sum begins with the addend
        assert sys.getrefcount(x) == readers
        np.testing.assert_array_equal(x, before)
    turned = np.ascontiguousarray(pictures[1].transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(model.predict(turned), expected[1], atol=1e-5)
    fixed = pictures[2].copy()
    fixed.setflags(write=False)
    np.testing.assert_allclose(model.predict(fixed), expected[2], atol=1e-5)


def test_an_output_that_is_the_input_is_a_copy_of_it(monkeypatch):
    monkeypatch.setattr(replay, "_COPIED", 0)
    model = fc.Sequential([fc.Input((4, 3)), layers.Flatten()])
    for seed in range(4):
        x = np.random.default_rng(seed).standard_normal((2, 4, 3)).astype("float32")
        y = model.predict(x)
        np.testing.assert_array_equal(y, x.reshape(2, 12))
        assert not np.may_share_memory(x, y)


@pytest.mark.parametrize("n", [1, 2, min(8, lanes("float32") - 1)])  # more would lie in the lanes of vectors
def test_lenet_5_predicts_the_same_bits_by_a_plan(n):
    model = lenet()
    for seed in range(4):
        x = images(n, seed)
        np.testing.assert_array_equal(model.predict(x), without_plan(model, x))


def branched():
    """A model of two inputs, one large and one small, and three outputs, one of which is a view of another."""
    fc.utils.set_random_seed(3)
    a, b = fc.Input((32, 24, 8)), fc.Input((32, 24, 4))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(a)
    y = layers.Add()([x, layers.Conv2D(8, 1)(b)])
    return fc.Model([a, b], [y, layers.Reshape((32 * 24, 8))(y), layers.GlobalAveragePooling2D()(layers.ReLU()(x))])


@pytest.mark.parametrize("copied", [0, 1 << 15, 1 << 30])
def test_models_of_several_inputs_and_outputs_have_plans(copied, monkeypatch):
    monkeypatch.setattr(replay, "_COPIED", copied)  # all, one or none of the inputs are read where they lie
    model, rng = branched(), np.random.default_rng(0)
    batches = [[rng.random((1, 32, 24, c), np.float32) for c in (8, 4)] for _ in range(3)]
    expected = [without_plan(model, xs) for xs in batches]
    for _ in range(3):
        model.predict(batches[0])
    assert any(isinstance(one, Capture) for one in model._executable.replay._captures.values())
    kept = [model.predict(xs) for xs in batches]
    for ys, others in zip(kept, expected, strict=True):
        for y, other in zip(ys, others, strict=True):
            np.testing.assert_allclose(y, other, atol=1e-6)  # fused: the sum begins with the addend
        assert not np.may_share_memory(ys[0], ys[1])
    turned = [np.ascontiguousarray(x.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3) for x in batches[1]]
    for y, other in zip(model.predict(turned), kept[1], strict=True):
        np.testing.assert_array_equal(y, other)


def test_a_plan_makes_only_calls_of_kernels():
    model = lenet()
    capture = captured_of(model, images(1))
    assert "conv2d_forward" in [kernel.__name__ for kernel, _ in capture.calls]
    x = images(1, 5)
    np.testing.assert_array_equal(capture([x])[0], without_plan(model, x))


def test_a_plan_sees_new_weights():
    model, x = lenet(), images(1)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    for _ in range(3):
        model.predict(x)
    model.set_weights([1.5 * w for w in model.get_weights()])
    np.testing.assert_array_equal(model.predict(x), without_plan(model, x))
    for _ in range(3):  # the first step moves the parameters into a block
        before = model.predict(x)
        model.train_on_batch(images(20), np.arange(20) % 10)
        after = model.predict(x)
        np.testing.assert_array_equal(after, without_plan(model, x))
        assert not np.array_equal(before, after)


def test_a_result_that_is_kept_is_not_overwritten_by_the_next_prediction():
    model = lenet()
    kept = [model.predict(images(1, seed)) for seed in range(6)]
    for seed, y in enumerate(kept):
        np.testing.assert_array_equal(y, without_plan(model, images(1, seed)))


def test_predictions_do_not_share_memory_with_their_input():
    model = fc.Sequential([fc.Input((4, 4, 1)), layers.Flatten()])
    x = np.ones((1, 4, 4, 1), np.float32)
    for _ in range(3):
        y = model.predict(x)
        assert not np.shares_memory(x, y)


class Doubled(layers.Layer):
    """A user's layer, which does arithmetic that no kernel does."""

    def forward(self, x, call=layers.Call()):
        return 2 * self.checked(x), lambda dy: 2 * dy


def test_a_model_with_a_layer_of_its_user_is_never_planned():
    model = fc.Sequential([fc.Input((3,)), Doubled()])
    for value in range(5):
        np.testing.assert_array_equal(model.predict(np.full((1, 3), value, np.float32)), np.full((1, 3), 2 * value))


def test_a_layer_added_after_a_prediction_is_seen():
    model, x = fc.Sequential([fc.Input((5,)), layers.ReLU()]), np.array([[-1, 0, 1, 2, 3]], np.float32)
    for _ in range(3):
        model.predict(x)
    model.add(layers.Activation("step"))
    for _ in range(3):
        np.testing.assert_array_equal(model.predict(x), [[1, 1, 1, 1, 1]])


def predict_from_threads(n):
    """Assert that threads which predict at once get their own results."""
    model = lenet()
    data = [images(n, seed) for seed in range(4)]
    expected = [without_plan(model, x) for x in data]
    model.predict(data[0])
    fused = [model.predict(x) for x in data]
    wrong = []

    def work(k):
        wrong.extend(k for _ in range(60) if not np.array_equal(model.predict(data[k]), fused[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    for a, b in zip(fused, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("n", [1, 200])  # by a plan without a launch; by all threads
def test_threads_that_predict_at_once_get_their_own_results(n):
    predict_from_threads(n)


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_every_threading_layer_lets_threads_predict_at_once(layer):
    code = "import tests.graph.test_replay as t; t.predict_from_threads(200)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, "NUMBA_THREADING_LAYER": layer})
    if "No threading layer could be loaded" in done.stderr:
        pytest.skip(f"{layer} is not installed here")
    assert done.returncode == 0, done.stderr


def test_mistakes_are_still_told():
    model = lenet()
    for _ in range(3):
        model.predict(images(1))
    with pytest.raises(fc.errors.ArgumentError, match="expected x of shape"):
        model.predict(np.zeros((1, 27, 28, 1), np.float32))
    assert model.predict(images(1).astype("float64")).dtype == np.float32
    assert model.predict(images(0)).shape == (0, 10)


def test_places_in_an_arena_do_not_overlap_while_both_live():
    draw = np.random.default_rng(0)
    for _ in range(50):
        count = int(draw.integers(1, 30))
        sizes = draw.integers(1, 5000, count).tolist()
        lives = [tuple(sorted(draw.integers(0, 20, 2).tolist())) for _ in range(count)]
        places, total = offsets(sizes, lives)
        for a in range(count):
            assert places[a] % 64 == 0
            assert places[a] + sizes[a] <= total
            for b in range(a):
                at_once = lives[a][0] <= lives[b][1] and lives[b][0] <= lives[a][1]
                apart = places[a] + sizes[a] <= places[b] or places[b] + sizes[b] <= places[a]
                assert apart or not at_once
        busiest = max(sum(s for s, (first, last) in zip(sizes, lives, strict=True) if first <= t <= last)
                      for t in range(20))
        assert busiest <= total <= sum(sizes) + 64 * count


def test_arrays_that_do_not_live_at_once_share_the_arena():
    chain = [layers.Conv2D(32, 1) for _ in range(6)]
    model = fc.Sequential([fc.Input((16, 16, 32)), *chain])
    x = np.random.default_rng(0).standard_normal((2, 16, 16, 32)).astype(np.float32)
    capture = captured_of(model, x)
    assert capture.bytes == 2 * x.nbytes
    np.testing.assert_array_equal(capture([x])[0], without_plan(model, x))


class Filled(layers.Layer):
    """A layer whose memory the device fills, as a call of a kernel."""

    replayable = True

    def two(self, d, x):
        return d.full(x.shape, x.dtype, 2)

    def forward(self, x, call=layers.Call()):
        x = self.checked(x)
        d = device.of(x)
        y = d.empty(x.shape, x.dtype)
        d.kernels.add(y.reshape(-1), x.reshape(-1), self.two(d, x).reshape(-1))
        return y, lambda dy: dy


class FilledByNumPy(Filled):
    """A layer whose memory NumPy fills, which nobody writes down."""

    replayable = True

    def two(self, d, x):
        two = d.empty(x.shape, x.dtype)
        two[...] = 2
        return two


class FilledByNumPyFromTheInput(FilledByNumPy):
    """NumPy fills the memory with what depends on the input."""

    replayable = True

    def two(self, d, x):
        two = super().two(d, x)
        two[...] += 0 * x[0, 0] + 3 * (x[0, 0] > 0)
        return two


def test_a_layer_of_ones_own_that_only_calls_kernels_may_say_so_and_is_captured():
    model = fc.Sequential([fc.Input((5,)), Filled(), Filled()])
    for k in range(4):
        x = np.arange(10, dtype=np.float32).reshape(2, 5) + k
        np.testing.assert_array_equal(model.predict(x), x + 4)
    assert [type(one) for one in model._executable.replay._captures.values()] == [Capture]


@pytest.mark.parametrize("kind", [FilledByNumPy, FilledByNumPyFromTheInput])
def test_a_layer_that_says_so_and_does_more_is_found_out_and_never_replayed(kind):
    model = fc.Sequential([fc.Input((5,)), kind()])
    x = np.arange(10, dtype=np.float32).reshape(2, 5) - 1
    two = lambda x: 2 + 3 * (x[0, 0] > 0) * issubclass(kind, FilledByNumPyFromTheInput)
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(x), x + two(x))
    with pytest.warns(UserWarning, match="nothing but call kernels"):
        np.testing.assert_array_equal(model.predict(x), x + two(x))
    for k in range(3):
        np.testing.assert_array_equal(model.predict(x + k), x + k + two(x + k))


def test_a_sum_takes_the_place_of_its_addend():
    x = inputs = fc.Input((16, 16, 32))
    for _ in range(3):  # the last short cut is read by nobody else; a convolution's own input must stay
        x = layers.Add()([layers.Conv2D(32, 1)(layers.Conv2D(32, 1, activation="relu")(x)), x])
    model = fc.Model(inputs, layers.Add()([layers.Conv2D(32, 1)(x), x]))
    images = np.random.default_rng(0).standard_normal((2, 16, 16, 32)).astype(np.float32)
    capture = captured_of(model, images)
    assert capture.bytes == 2 * images.nbytes
    for seed in range(2):
        images = np.random.default_rng(seed).standard_normal(images.shape).astype(np.float32)
        np.testing.assert_allclose(capture([images])[0], without_plan(model, images), atol=1e-5)


def test_an_activation_is_written_over_its_input_if_nobody_else_reads_that(monkeypatch):
    monkeypatch.setattr(replay, "_COPIED", 0)
    inputs = fc.Input((16, 16, 8))
    y = layers.Softsign()(layers.Tanh()(layers.Sigmoid()(inputs)))
    chain, read_twice = fc.Model(inputs, y), fc.Model(inputs, layers.Concatenate()([y, inputs]))
    x = np.random.default_rng(0).standard_normal((2, 16, 16, 8)).astype(np.float32)
    assert captured_of(chain, x).bytes == x.nbytes
    assert captured_of(read_twice, x).bytes == 4 * x.nbytes  # x, y, and both side by side
    for model in (chain, read_twice):
        capture = captured_of(model, x)
        for seed in range(2):
            other = np.random.default_rng(seed).standard_normal(x.shape).astype(np.float32)
            before = other.copy()
            np.testing.assert_array_equal(capture([other])[0], without_plan(model, other))
            np.testing.assert_array_equal(other, before)


def test_a_switch_of_winograds_algorithm_is_seen_by_graphs_and_captures():
    fc.utils.set_random_seed(4)
    model = fc.Sequential([fc.Input((24, 24, 64)), layers.Conv2D(64, 3, padding="same")])
    x = np.random.default_rng(0).standard_normal((4, 24, 24, 64)).astype(np.float32)
    assert config.winograd()
    found = {}
    try:
        for on in (True, False, True, False):
            config.set_winograd(on)
            ys = [model.predict(x) for _ in range(4)]  # the second makes a capture, the third tests it
            for y in ys:
                np.testing.assert_array_equal(y, found.setdefault(on, ys[0]))
    finally:
        config.set_winograd(True)
    assert not np.array_equal(found[True], found[False])  # else the shape is none that Winograd's suits


class Counted:
    """A prediction, x -> 2 x by a kernel, that counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, xs):
        self.asked += 1
        d = device.of(xs[0])
        y = d.empty(xs[0].shape, xs[0].dtype)
        d.kernels.add(y.reshape(-1), xs[0].reshape(-1), xs[0].reshape(-1))
        return [y]


def replayed(parameters=(), sample=8, is_replayable=lambda batch: True):
    infer = Counted()
    return infer, replay.Replay(infer, parameters, sample, is_replayable)


def asked_for(infer, captured, *shapes):
    """Return for each batch whether the prediction itself was asked, and not a capture."""
    found = []
    for k, shape in enumerate(shapes):
        before, x = infer.asked, np.full(shape, k, np.float32)
        np.testing.assert_array_equal(captured([x])[0], 2 * x)
        found.append(infer.asked > before)
    return found


def test_a_shape_that_comes_twice_in_a_row_is_captured_then_tested_and_then_nobody_asks():
    infer, captured = replayed()
    a, b, c = (2, 3), (1, 3), (3, 3)
    assert asked_for(infer, captured, a, a, a, a) == [True, True, True, False]
    assert asked_for(infer, captured, b, c, b, c, b, a) == [True, True, True, True, True, False]
    assert asked_for(infer, captured, b, a, b, b, c) == [True, False, True, False, True]


def test_captures_are_of_eight_images_at_most_and_of_four_shapes():
    infer, captured = replayed()
    assert asked_for(infer, captured, *[(8, 3)] * 4, *[(9, 3)] * 3) == [True] * 3 + [False, True, True, True]
    for n in (1, 2, 3):
        assert asked_for(infer, captured, *[(n, 3)] * 4) == [True, True, True, False]
    assert asked_for(infer, captured, (8, 3), (1, 3), (2, 3), (3, 3)) == [False] * 4
    assert asked_for(infer, captured, *[(4, 3)] * 4) == [True, True, True, False]
    assert asked_for(infer, captured, (8, 3)) == [True], "a fifth lets all others go"


def test_what_may_not_be_captured_or_takes_too_much_memory_is_predicted_every_time():
    infer, captured = replayed(is_replayable=lambda batch: batch > 1)
    assert asked_for(infer, captured, *[(1, 3)] * 4, *[(2, 3)] * 4) == [True] * 7 + [False]
    infer, captured = replayed(sample=1 << 29)
    assert asked_for(infer, captured, *[(3, 3)] * 4, *[(2, 3)] * 4) == [True] * 7 + [False]
    asked = []
    infer, captured = replayed(is_replayable=asked.append)
    assert asked_for(infer, captured, *[(2, 3)] * 5) == [True] * 5
    assert asked == [2], "once"


def test_a_capture_ends_with_a_change_of_a_parameter_or_of_a_setting():
    weight = fc.layers.Dense(1)
    weight.build((None, 2))
    infer, captured = replayed(weight.weights)
    assert asked_for(infer, captured, *[(2, 3)] * 4) == [True, True, True, False]
    weight.bias.assign([1.0])
    assert asked_for(infer, captured, *[(2, 3)] * 4) == [True, True, True, False]
    config.set_winograd(False)
    try:
        assert asked_for(infer, captured, *[(2, 3)] * 4) == [True, True, True, False]
    finally:
        config.set_winograd(True)


def test_another_thread_does_not_wait_for_a_capture_and_stays_out_of_its_memory():
    infer, captured = replayed()
    asked_for(infer, captured, *[(2, 3)] * 4)
    with captured._busy:  # another thread's
        assert asked_for(infer, captured, (2, 3), (2, 3)) == [True, True]
    assert asked_for(infer, captured, (2, 3)) == [False]


def test_an_input_is_copied_if_it_is_small_or_a_call_reads_a_part_of_it():
    def infer(xs):
        d = device.of(xs[0])
        y = d.empty((1, 4, 1 << 12), np.float32)
        d.kernels.add(y.reshape(-1), xs[0].reshape(-1), xs[0].reshape(-1))
        d.kernels.add(y[:, 1:3].reshape(-1), xs[0][:, 1:3].reshape(-1), xs[0][:, 1:3].reshape(-1))
        return [y]

    x = np.arange(1 << 14, dtype=np.float32).reshape(1, 4, 1 << 12)
    capture = captured_of(infer, x)
    assert capture._copied == [True]
    np.testing.assert_array_equal(capture([x + 1])[0], 2 * (x + 1))
    whole, small = captured_of(Counted(), x), captured_of(Counted(), x[:, :1, :16].copy())
    assert (whole._copied, small._copied) == ([False], [True])
    assert (whole.bytes, small.bytes) == (2 * x.nbytes, 2 * 64), "what needs a copy for once has its place"
