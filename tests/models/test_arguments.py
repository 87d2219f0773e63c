"""What users may hand to models, in all of Keras's forms; and what they may not, each in one clear sentence."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError, UnknownArgumentError

X = np.random.default_rng(0).standard_normal((20, 4)).astype("float32")
Y = np.random.default_rng(1).standard_normal((20, 2)).astype("float32")
LABELS = np.arange(20) % 3


def mlp(loss="mse", out=2, **compiled):
    """A compiled model of one input and one output."""
    fc.utils.set_random_seed(1)
    inputs = fc.Input((4,), name="in")
    outputs = layers.Dense(out, name="out", activation="softmax" if out == 3 else None)(inputs)
    model = fc.Model(inputs, outputs)
    model.compile(fc.optimizers.SGD(0.1), loss, **compiled)
    return model


def classifier():
    return mlp("sparse_categorical_crossentropy", 3)


def two(**compiled):
    """A compiled model of two inputs and two outputs."""
    fc.utils.set_random_seed(1)
    a, b = fc.Input((4,), name="a"), fc.Input((4,), name="b")
    x = layers.Concatenate()([a, b])
    model = fc.Model([a, b], {"p": layers.Dense(2)(x), "q": layers.Dense(3, activation="softmax")(x)})
    model.compile(fc.optimizers.SGD(0.1), {"p": "mse", "q": "sparse_categorical_crossentropy"}, **compiled)
    return model


def trained(make, x, y, **more):
    model = make()
    model.fit(x, y, verbose=0, batch_size=8, **more)
    return np.concatenate([w.reshape(-1) for w in model.get_weights()])


def test_arrays_lists_and_dicts_are_the_same_data():
    plain = trained(mlp, X, Y)
    for x, y in (([X], [Y]), ((X,), (Y,)), ({"in": X}, {"out": Y}), (X.tolist(), Y.tolist()), (X, [Y])):
        np.testing.assert_array_equal(trained(mlp, x, y), plain)
    several = trained(two, [X, -X], [Y, LABELS])
    for x, y in (((X, -X), (Y, LABELS)), ({"b": -X, "a": X}, {"q": LABELS, "p": Y}),
                 ({"b": -X, "a": X, "more": X}, [Y, LABELS.tolist()])):
        np.testing.assert_array_equal(trained(two, x, y), several)


def test_weights_of_samples_are_given_as_arrays_lists_and_dicts():
    factors = np.linspace(0, 2, 20)
    plain = trained(mlp, X, Y, sample_weight=factors)
    for given in (factors.tolist(), [factors], {"out": factors}, factors[:, None]):
        np.testing.assert_array_equal(trained(mlp, X, Y, sample_weight=given), plain)
    one = trained(two, [X, X], [Y, LABELS], sample_weight=[None, factors])
    np.testing.assert_array_equal(trained(two, [X, X], [Y, LABELS], sample_weight={"q": factors}), one)
    both = trained(two, [X, X], [Y, LABELS], sample_weight=factors)
    np.testing.assert_array_equal(trained(two, [X, X], [Y, LABELS], sample_weight=[factors, factors]), both)
    assert not np.array_equal(one, both)


def test_batches_are_given_as_everything_else():
    model = two()
    logs = model.test_on_batch({"a": X, "b": X}, [Y, LABELS], return_dict=True)
    assert logs == model.evaluate([X, X], {"p": Y, "q": LABELS}, batch_size=20, return_dict=True)
    assert {name: y.shape for name, y in model.predict_on_batch([X, X]).items()} == {"p": (20, 2), "q": (20, 3)}
    assert mlp().predict(X, batch_size=None).shape == (20, 2)
    late = fc.Sequential([layers.Dense(2)])
    assert late.predict([X]).shape == (20, 2)
    assert late.input_shape == (None, 4)


def test_tensors_are_given_to_models_by_name():
    model = two()
    a, b = fc.Input((4,)), fc.Input((4,))
    for given in ([a, b], {"b": b, "a": a}):
        again = fc.Model([a, b], model(given)["p"])
        np.testing.assert_array_equal(again.predict([X, -X]), model.predict([X, -X])["p"])


def test_a_model_is_called_with_arrays_of_any_number_type():
    model = mlp()
    whole = np.rint(X)
    for x in (whole, whole.astype("int32"), whole.astype("float64"), whole.tolist()):
        np.testing.assert_array_equal(model(x), model.predict(whole))


def test_outputs_of_one_layer_have_different_names():
    inputs = fc.Input((4,))
    x = layers.Dense(2, name="d")(inputs)
    model = fc.Model(inputs, [x, x])
    model.compile("sgd", ["mse", "mae"], loss_weights=[np.float32(1), 2])
    assert model.output_names == ["d", "d_1"]
    logs = model.evaluate(X, [Y, Y], return_dict=True)
    assert list(logs) == ["loss", "d_loss", "d_1_loss"]
    assert logs["loss"] == pytest.approx(logs["d_loss"] + 2 * logs["d_1_loss"])


def test_numbers_scale_and_shift_tensors():
    x = fc.Input((4,), dtype="float64")
    model = fc.Model(x, [x + 1, 2 - x, 3.0 * x - 1, -x / 4, sum([x, x * x])])
    value = X.astype("float64")
    for y, expected in zip(model.predict(value), (value + 1, 2 - value, 3 * value - 1, -value / 4, value + value ** 2),
                           strict=True):
        np.testing.assert_allclose(y, expected, rtol=1e-15)


def test_a_power_and_the_absolute_value_of_a_tensor_are_layers():
    x = fc.Input((4,), dtype="float64")
    model = fc.Model(x, [x ** 2, abs(x)])
    assert [type(layer) for layer in model.layers[1:]] == [layers.Power, layers.Abs]
    value = X.astype("float64")
    for y, expected in zip(model.predict(value), (value ** 2, abs(value)), strict=True):
        np.testing.assert_allclose(y, expected, rtol=1e-14)
    np.testing.assert_array_equal(fc.Model(x, x ** 0).predict(value), np.ones_like(value))


def test_keras_s_other_names():
    model = mlp()
    assert model.variables == model.weights
    assert model.layers[1].trainable_variables == model.trainable_weights
    assert model.non_trainable_variables == []
    with pytest.raises(ArgumentError, match=r'Model ".*": add_loss expected a tensor that call made of its input'):
        model.add_loss(1.0)
    assert not hasattr(model, "export")


def tensor():
    return fc.Input((4,))


def sequential(*more):
    return fc.Sequential([fc.Input((4,)), layers.Dense(3), *more])


def used():
    """A Sequential that another model has inside."""
    model = sequential()
    model(tensor())
    return model


class Endless:
    num_batches = None

    def __getitem__(self, index):
        return X, Y


def itself():
    model = fc.Sequential([layers.Dense(3)])
    model.add(model)


MISTAKES = {
    # put together
    "another argument": (lambda: fc.Model(inputs=tensor(), output=tensor()), UnknownArgumentError,
                         "did you mean 'outputs'"),
    "a list in a list": (lambda: fc.Model([[tensor()]], tensor()), ArgumentError, "got list"),
    "a layer for its tensor": (lambda: fc.Model(tensor(), layers.Dense(2)), ArgumentError, "got Dense"),
    "too many tensors": (lambda: two()([tensor()] * 3), ArgumentError, "expected 2 inputs, a, b, got 3"),
    "tensors of other names": (lambda: two()({"a": tensor(), "c": tensor()}), ArgumentError, "got none for b"),
    "a type of numbers": (lambda: layers.Dense(2, dtype="mixed_float16"), ArgumentError, "float64 or mixed_bfloat16"),
    "an axis": (lambda: layers.Concatenate(axis="x"), ArgumentError, "expected axis to be an integer, got 'x'"),
    "trainable": (lambda: layers.Dense(2, trainable="no"), ArgumentError, "True or False, got 'no'"),
    "trainable, set": (lambda: setattr(mlp(), "trainable", "no"), ArgumentError, "True or False, got 'no'"),
    "no shape": (lambda: layers.Dense(2).build(4), ArgumentError, "expected an input shape .* got 4"),
    "a text as shape": (lambda: layers.Dense(2).build("ab"), ArgumentError, "got 'ab'"),
    "an open size": (lambda: layers.Dense(2).build((None, 3, None)), ArgumentError, "expected known sizes"),
    "an index": (lambda: mlp().get_layer(index="a"), ArgumentError, "known are in, out"),
    # Sequential
    "an initializer": (lambda: layers.Dense(2, kernel_initializer="he")(tensor()), ArgumentError,
                       'Dense ".*": kernel: initializer: \'he\' is not known'),
    "tensors out of one": (lambda: list(tensor()), TypeError, "not iterable"),
    "a power of a text": (lambda: tensor() ** "2", TypeError, "unsupported"),
    "a layer as list": (lambda: fc.Sequential(layers.Dense(2)), ArgumentError, "expected a list of layers"),
    "a name as list": (lambda: fc.Sequential("name"), ArgumentError, "expected a list of layers"),
    "a number as list": (lambda: fc.Sequential(3), ArgumentError, "expected a list of layers"),
    "a tensor as layer": (lambda: fc.Sequential([layers.Dense(2)(tensor())]), ArgumentError, "expected a layer"),
    "itself": (itself, ArgumentError, "got itself"),
    "two outputs": (lambda: sequential(two()), ArgumentError, "one input"),
    "a model inside grows": (lambda: used().add(layers.ReLU()), ArgumentError, r"model\.layers\[:-1\]"),
    "a model inside shrinks": (lambda: used().pop(), ArgumentError, r"model\.layers\[:-1\]"),
    "one name twice": (lambda: sequential(layers.ReLU(name="r"), layers.ReLU(name="r")), ArgumentError, 'two "r"'),
    "built by text": (lambda: fc.Sequential([layers.Dense(2)]).build("ab"), ArgumentError, "input shape"),
    "first data is text": (lambda: fc.Sequential([layers.Dense(2)]).predict("ab"), DataError, "expected numbers in x"),
    "first data is ragged": (lambda: fc.Sequential([layers.Dense(2)]).predict([[1, 2], [3]]), DataError, "different"),
    "first data is none": (lambda: fc.Sequential([layers.Dense(2)]).predict(None), ArgumentError, "got None"),
    # called
    "None": (lambda: mlp()(None), ArgumentError, "got None"),
    "text": (lambda: mlp()(np.array(["a"])), DataError, "expected numbers"),
    "another width": (lambda: mlp()(X[:, :3]), ArgumentError, r"expected x of shape \(N, 4\), got \(20, 3\)"),
    "different counts": (lambda: two()([X, X[:3]]), DataError, "as many"),
    "different counts for a layer": (lambda: layers.Add()([X, X[:3]]), ArgumentError, "got 20 and 3"),
    "a number for a layer": (lambda: layers.Dense(2)(3), ArgumentError, r"\(N, \.\.\., C\), got \(None,\)"),
    "integers for a layer": (lambda: layers.Dense(2).forward(LABELS[:, None]), ArgumentError, r"astype\('float32'\)$"),
    "one array for two": (lambda: two().forward(X), ArgumentError, "expected 2 inputs, a, b, got 1"),
    "gradients of another shape": (lambda: mlp().forward(X)[1](X), ArgumentError, r"\(20, 2\), got \(20, 4\)"),
    "one sample": (lambda: mlp().predict(X[0]), ArgumentError, r"got \(4,\); one sample is x\[None\]"),
    "batch size as text": (lambda: mlp().predict(X, batch_size="4"), ArgumentError, "positive integer, got '4'"),
    "steps": (lambda: mlp().predict(X, steps=0), ArgumentError, "steps to be a positive integer, got 0"),
    # compile
    "run_eagerly": (lambda: mlp(run_eagerly="no"), ArgumentError, "run_eagerly to be True or False, got 'no'"),
    "an unknown argument": (lambda: mlp(metric=["accuracy"]), UnknownArgumentError, "did you mean 'metrics'"),
    "metrics that are none": (lambda: mlp(metrics=3), ArgumentError, "metric: 3 is not known"),
    "loss_weights": (lambda: two(loss_weights={"p": float("nan")}), ArgumentError, "got nan"),
    # fit
    "no data": (lambda: mlp().fit(), ArgumentError, "got None"),
    "no targets": (lambda: mlp().fit(X), ArgumentError, "expected targets for output"),
    "a pair": (lambda: mlp().fit((X, Y)), DataError, "rows of different lengths"),
    "a generator of inputs": (lambda: mlp().fit(x for x in X), ArgumentError,
                              r"fit: batch 0: expected \(x, y\) or \(x, y, sample_weight\), got ndarray"),
    "a generator of lone inputs": (lambda: mlp().fit((x,) for x in [X]), ArgumentError, "got x alone"),
    "too much in a batch": (lambda: mlp().fit((X, Y, Y, Y) for _ in [X]), ArgumentError, "got 4 entries"),
    "a batch of nobody": (lambda: mlp().fit((X[:0], Y[:0]) for _ in [X]), DataError, "batch 0: .* at least one sample"),
    "no batch": (lambda: mlp().fit(iter([])), DataError, "fit: expected at least one batch, got none"),
    "a generator twice": (lambda: mlp().fit(((X, Y) for _ in [X]), epochs=2), ArgumentError,
                          "expected steps_per_epoch, since a generator can be gone through only once and is asked for "
                          "2 times"),
    "targets beside batches": (lambda: mlp().fit(iter([(X, Y)]), Y), ArgumentError, "expected no y beside a list_iter"),
    "weights beside batches": (lambda: mlp().fit(iter([(X, Y)]), sample_weight=Y), ArgumentError, "no sample_weight"),
    "the size of batches": (lambda: mlp().evaluate(iter([(X, Y)]), batch_size=3), ArgumentError, "no batch_size"),
    "batches split": (lambda: mlp().fit(iter([(X, Y)]), validation_split=0.5), ArgumentError, "which cannot be split"),
    "validation twice": (lambda: mlp().fit(X, Y, epochs=2, validation_data=iter([(X, Y)])), ArgumentError,
                         "validation_data: expected validation_steps"),
    "the size of validation": (lambda: mlp().fit(X, Y, validation_data=iter([(X, Y)]), validation_batch_size=3),
                               ArgumentError, "no validation_batch_size beside"),
    "a frequency": (lambda: mlp().fit(X, Y, validation_freq=0), ArgumentError, "validation_freq .* got 0"),
    "data without an end": (lambda: mlp().fit(Endless()), ArgumentError, "steps_per_epoch for a Endless that has no"),
    "an iterable beside": (lambda: mlp().fit(X, iter([Y])), DataError, "is given to fit, evaluate and predict as x"),
    "ragged targets": (lambda: mlp().fit(X, [[1, 2]] * 19 + [[1]]), DataError, "y as an array"),
    "one target": (lambda: mlp().fit(X, 3), ArgumentError, "got the number 3"),
    "epochs": (lambda: mlp().fit(X, Y, epochs=True), ArgumentError, "positive integer, got True"),
    "initial_epoch": (lambda: mlp().fit(X, Y, initial_epoch="a"), ArgumentError, "an integer from 0"),
    "shuffle": (lambda: mlp().fit(X, Y, shuffle="batch"), ArgumentError, "True or False, got 'batch'"),
    "verbose": (lambda: mlp().fit(X, Y, verbose=7), ArgumentError, '0, 1, 2 or "auto", got 7'),
    "a split as text": (lambda: mlp().fit(X, Y, validation_split="a"), ArgumentError, "validation_split < 1, got 'a'"),
    "a split of all": (lambda: mlp().fit(X, Y, validation_split=0.99), ArgumentError, "leaves samples to train on"),
    "validation_data": (lambda: mlp().fit(X, Y, validation_data=(X,)), ArgumentError, "got 1 entries"),
    "a callback's class": (lambda: mlp().fit(X, Y, callbacks=[fc.callbacks.Callback]), ArgumentError, "instances"),
    "a number as callback": (lambda: mlp().fit(X, Y, callbacks=3), ArgumentError, "instances .* got 3"),
    "steps_per_epoch": (lambda: mlp().fit(X, Y, steps_per_epoch="3"), ArgumentError, "integer, got '3'"),
    "a misspelt argument": (lambda: mlp().fit(X, Y, epoch=3), UnknownArgumentError, "did you mean 'epochs'"),
    "weights as text": (lambda: mlp().fit(X, Y, sample_weight=["a"] * 20), DataError, "numbers in the weights"),
    "classes as list": (lambda: classifier().fit(X, LABELS, class_weight=[1, 2]), ArgumentError, "expected a dict"),
    "a factor as text": (lambda: classifier().fit(X, LABELS, class_weight={0: "a"}), ArgumentError, "of class 0"),
    "labels as text": (lambda: classifier().fit(X, ["a"] * 20, class_weight={0: 2}), DataError, "number the classes"),
    "a huge label": (lambda: classifier().fit(X, LABELS + 10**15, class_weight={0: 2}), DataError, r"labels 0\.\.2"),
    "a batch of nothing": (lambda: mlp().test_on_batch([], Y), ArgumentError, r"got \(0,\)"),
    "a batch of None": (lambda: mlp().test_on_batch(None, Y), ArgumentError, "got None"),
    "a line's length": (lambda: mlp().summary(line_length=80), ArgumentError, "line_length=80 is not offered"),
    "a number to print with": (lambda: mlp().summary(80), ArgumentError, "print_fn to be a function, got 80"),
    # weights and files
    "weights are no list": (lambda: mlp().set_weights(3), ArgumentError, "expected a list of 2 weights"),
    "weights of text": (lambda: mlp().set_weights([np.full((4, 2), "a"), np.zeros(2)]), ArgumentError, "of numbers"),
    "complex weights": (lambda: mlp().weights[0].assign(np.zeros((4, 2), complex)), ArgumentError, "got complex128"),
    "a number to save": (lambda: fc.saving.save_model(3, "m.safetensors"), ArgumentError, "expected a model, got 3"),
    "a number to draw": (lambda: fc.utils.plot_model(3, "m.svg"), ArgumentError, "expected a model, got 3"),
    "no structure": (lambda: fc.Model.from_config({}), ArgumentError, "KeyError: 'layers'"),
    "a structure that is none": (lambda: fc.Sequential.from_config(None), ArgumentError, "cannot be built"),
    "no layer's structure": (lambda: layers.Dense.from_config(None), ArgumentError, "expected a dict"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_clear_sentence(case):
    wrong, kind, text = MISTAKES[case]
    with pytest.raises(kind, match=text) as caught:
        wrong()
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_a_class_that_nobody_has_costs_no_memory():
    np.testing.assert_array_equal(trained(classifier, X, LABELS, class_weight={10**15: 3.0}),
                                  trained(classifier, X, LABELS))
    np.testing.assert_array_equal(trained(classifier, X, LABELS, class_weight={}), trained(classifier, X, LABELS))


@pytest.mark.parametrize("kind", ["int64", "uint32", ">f8", "float64"])
def test_numbers_are_converted_to_the_models_type_in_one_step(kind):
    model = fc.Sequential([fc.Input((1,)), layers.Dense(1, kernel_initializer="ones", dtype="float64")])
    x = np.array([[2 ** 24 + 1]], kind)
    for y in (model.predict(x), model(x), model.predict_on_batch(x), model.predict(np.repeat(x, 40, axis=0)[::2])):
        np.testing.assert_array_equal(y, 2.0 ** 24 + 1)
    model.compile("sgd", "mse")
    assert model.evaluate(x, x) == 0


def test_what_refuses_to_be_an_array_in_its_own_way_is_one_sentence():
    class Tensor:
        def __array__(self, *_, **__):
            raise RuntimeError("detach it first")

    for verb in (lambda m: m.predict(Tensor()), lambda m: m.fit(X, Tensor(), verbose=0)):
        with pytest.raises(DataError, match="numbers, got a Tensor that NumPy cannot read: detach it first"):
            verb(mlp())
