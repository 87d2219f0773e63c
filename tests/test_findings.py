"""What once differed from Keras without a word, ended in a raw exception or was refused, each by its smallest input.

S are silent differences, R raw exceptions, C refusals that cost little to take. Keras 3.15.1 gives what stands here.
"""

import pickle
import random
import warnings

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import activations, initializers, layers, losses, metrics, ops, optimizers, regularizers
from fastcnn.errors import ArgumentError

X = np.arange(12.0).reshape(4, 3)
ROWS = {}


def row(function):
    """Enter a row, whose name is the finding's and what it was."""
    ROWS[function.__name__.lower()] = function
    return function


def close(found, expected, **more):
    np.testing.assert_allclose(np.asarray(found), expected, **({"rtol": 1e-4} | more))


def dense(**more):
    layer = layers.Dense(2, **more)
    layer.build((None, 3))
    return layer


class Folded(layers.Layer):
    """A layer of one's own that changes the shape."""

    def call(self, x):
        return ops.reshape(x, (-1, 6))


# --- silent: another result and no word -------------------------------------------------------------------------------


@row
def s1_a_parameter_is_an_array_to_numpy_and_does_arithmetic():
    kernel = dense().kernel
    assert (np.array(kernel).dtype, np.array(kernel).shape) == (np.float32, (3, 2))
    close(np.mean(kernel), np.mean(kernel.numpy()))
    close(kernel + 1, kernel.numpy() + 1)


@row
def s2_the_seed_is_numpy_s_and_python_s_too():
    drawn = []
    for _ in range(2):
        fc.utils.set_random_seed(42)
        drawn.append((np.random.rand(), random.random()))
    assert drawn[0] == drawn[1]


@row
def s3_tversky_s_alpha_weighs_the_missed_as_in_3_15():
    missed, false_alarms = [[1.0, 1.0]], [[1.0, 0.0]]
    assert losses.Tversky(0.9, 0.1)(missed, false_alarms) > losses.Tversky(0.1, 0.9)(missed, false_alarms)
    assert "3.16" in losses.Tversky.__doc__


@row
def s4_a_call_of_one_s_own_is_asked_for_its_shape():
    assert Folded()(fc.Input((2, 3))).shape == (None, 6)


@row
def s5_outputs_keep_their_structure():
    x = fc.Input((3,))
    for made, kind in (({"a": dense()(x), "b": dense()(x)}, dict), ([dense()(x), dense()(x)], list)):
        model = fc.Model(x, made)
        assert [type(one) for one in (model(fc.Input((3,))), model.output, model(X), model.predict(X))] == [kind] * 4


@row
def s7_a_class_of_vectors_is_told():
    with pytest.raises(ValueError, match="class_id"):
        metrics.Precision(class_id=0)([0.0, 1.0], [0.0, 1.0])


@row
def s9_thresholds_of_auc_have_their_ends():
    assert metrics.AUC(thresholds=[0.5]).thresholds == [0, 0.5, 1]


# --- raw exceptions ---------------------------------------------------------------------------------------------------


@row
def r1_a_layer_loss_and_metric_of_one_s_own_work():
    class Built(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight(shape=(1,), initializer="ones")
            self.built = True

        def call(self, x):
            return x * self.factor

    class Far(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    class Seen(metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign_add(len(y_true))

        def result(self):
            return self.count

    close(Built()(X), X)
    assert Folded()(np.ones((4, 2, 3))).shape == (4, 6)
    close(Far()([[1.0, 3.0]], [[2.0, 2.0]]), 1)
    close(Seen()(X, X), 4)


@row
def r2_losses_take_vectors_and_lists():
    close(losses.BinaryCrossentropy()([0, 1, 0, 0], [0.6, 0.3, 0.2, 0.8]), 0.9882)
    close(losses.MeanSquaredError()([1.0, 2.0], [1.0, 4.0]), 2)


@row
def r3_metrics_take_vectors():
    for kind, expected in ((metrics.MeanSquaredError, 2), (metrics.MeanAbsoluteError, 1),
                           (metrics.RootMeanSquaredError, 2 ** 0.5)):
        metric = kind()
        metric.update_state(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        close(metric.result(), expected)


@row
def r4_metrics_take_lists():
    for metric in (metrics.Precision(), metrics.BinaryAccuracy(), metrics.BinaryIoU(), metrics.F1Score(threshold=0.5)):
        metric.update_state([[1.0], [0.0]], [[0.9], [0.2]])
        close(metric.result(), np.ones(np.shape(metric.result())))


@row
def r5_activations_are_called_and_have_names():
    close(activations.get("relu")([-1.0, 2.0]), [0, 2])
    assert layers.Dense(1, activation="relu").activation.__name__ == "relu"


@row
def r6_softmax_takes_a_vector():
    close(activations.softmax(np.array([1.0, 2.0, 3.0])), [0.09003, 0.24473, 0.66524])
    close(np.exp(activations.log_softmax(np.array([1.0, 2.0, 3.0]))), [0.09003, 0.24473, 0.66524])


@row
def r7_none_where_a_number_is_wanted_is_told():
    for make in (lambda: layers.LeakyReLU(negative_slope=None), lambda: metrics.FBetaScore(beta=None),
                 lambda: metrics.FBetaScore(beta="1"), lambda: metrics.FalsePositives(thresholds=[None])):
        with pytest.raises(ArgumentError, match=r"expected|got"):
            make()
    assert metrics.AUC(num_thresholds=None, thresholds=[0.3]).thresholds == [0, 0.3, 1]


@row
def r8_two_tensors_are_two_inputs_and_a_mask_is_told():
    class Sum(layers.Layer):
        def call(self, a, b):
            return a + b

    close(Sum()(X, X), 2 * X)
    with pytest.raises(ArgumentError, match="arrays have no masks"):
        dense()(X, np.ones(4, bool))


@row
def r9_a_function_is_a_loss_and_a_metric():
    def far(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    model = fc.Sequential([fc.Input((3,)), layers.Dense(2)])
    model.compile("sgd", far, metrics=[far])
    logs = model.fit(X, X[:, :2], verbose=0).history
    close(logs["far"], logs["loss"])


# --- refused where taking it costs little -----------------------------------------------------------------------------


@row
def c1_layers_and_activations_take_what_numpy_can_make_an_array_of():
    layer = dense()
    expected = layer(X.astype("float32"))
    for given in (X, X.astype(int), X.tolist()):
        close(layer(given), expected)
        assert layer(given).dtype == np.float32
    close(activations.relu([-1, 2]), [0, 2])


@row
def c2_metrics_take_a_dtype():
    for dtype in ("float32", "float64", None):
        close(metrics.Mean(dtype=dtype)([1.0, 3.0]), 2)


@row
def c3_the_first_layer_takes_the_input_s_shape():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fc.Sequential([layers.Dense(2, input_shape=(3,))]).output_shape == (None, 2)
        assert fc.Sequential([layers.Dense(2, input_dim=3)]).count_params() == 8


@row
def c4_inputs_take_a_size_of_batches():
    for made in (fc.Input((3,), batch_size=4), fc.Input(batch_shape=(4, 3))):
        assert made.shape[1:] == (3,)
    assert layers.InputLayer(batch_shape=(4, 3)).batch_shape == (4, 3)
    assert fc.Input(tensor=fc.Input((5,))).shape == (None, 5)


@row
def c5_compile_takes_hints():
    model = fc.Sequential([fc.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", jit_compile=True, run_eagerly=True, steps_per_execution=8)


@row
def c6_optimizers_are_got_by_lower_case_names():
    assert optimizers.get({"class_name": "adam", "config": {"learning_rate": 0.5}}).learning_rate == 0.5


@row
def c7_metrics_are_got_by_the_names_of_losses():
    for name in ("bce", "binary_crossentropy", "hinge", "kl_divergence", "MSE", "f1_score", "auc", "poisson"):
        assert metrics.get(name).name
    model = fc.Sequential([fc.Input((3,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=["binary_crossentropy"])
    assert "binary_crossentropy" in model.fit(X / 12, np.ones((4, 1)), verbose=0).history


@row
def c8_initializers_and_regularizers_are_functions_classes_and_arrays():
    assert regularizers.l2(1e-4).get_config() == {"l2": 1e-4}
    assert isinstance(initializers.he_normal(), initializers.HeNormal)
    assert initializers.get(None) is None
    made = initializers.HeNormal(seed=3)
    assert type(made).from_config(made.get_config()).get_config() == made.get_config()
    for given in (lambda shape, dtype=None: np.full(shape, 2, dtype), np.full((3, 2), 2.0), initializers.Ones):
        assert dense(kernel_initializer=given).kernel.numpy().max() in (1, 2)
    close(layers.Dense(1, activation=layers.LeakyReLU(0.5), kernel_initializer="ones")([[-2.0]]), [[-1]])


@row
def c9_a_model_without_a_loss_predicts():
    model = fc.Sequential([fc.Input((3,)), layers.Dense(2)])
    for told in ((), ("adam",)):
        model.compile(*told)
        assert model.predict(X).shape == (4, 2)


@row
def c10_a_chain_that_is_not_built_tells_what_it_is():
    chain, told = fc.Sequential([layers.Dense(2, name="d")]), []
    chain.summary(print_fn=told.append)
    assert "d" in told[0]
    assert chain.get_config()["layers"]
    assert pickle.loads(pickle.dumps(chain)).layers[0].name == "d"


@row
def c12_models_optimizers_and_metrics_tell_what_they_hold():
    model = fc.Sequential([fc.Input((3,)), layers.Dense(2)])
    model.compile(fc.optimizers.SGD(0.001, momentum=0.5), "mse", metrics=["mae"])
    history = model.fit(X, X[:, :2], verbose=0)
    assert model.history is history
    assert model.metrics_names[0] == "loss"
    model.reset_metrics()
    optimizer = model.optimizer
    assert len(optimizer.variables) >= 3
    optimizer.learning_rate.assign(0.25)
    assert float(optimizer.learning_rate.numpy()) == 0.25
    weights = model.trainable_variables
    before = [one.numpy() for one in weights]
    optimizer.apply_gradients([(np.ones(one.shape, "float32"), one) for one in weights])
    optimizer.apply([np.ones(one.shape, "float32") for one in weights], weights)
    assert all((one.numpy() != old).all() for one, old in zip(weights, before, strict=True))
    assert len(metrics.Mean().variables) == 2


@row
def c13_arguments_have_keras_s_names():
    assert dense()(inputs=X).shape == (4, 2)
    assert callable(fc.models.load_model)
    for function in (fc.Model.save, fc.Model.save_weights, fc.Model.load_weights):
        assert "filepath" in function.__code__.co_varnames


@row
def c16_losses_and_metrics_are_functions_too():
    close(losses.mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]]), [2])
    close(metrics.categorical_accuracy([[0.0, 1.0]], [[0.2, 0.8]]), [1])


@row
def c17_configurations_and_attributes_have_all_arguments():
    assert {"strides", "padding", "dilation_rate", "groups", "use_bias"} <= layers.Conv2D(3, 3).get_config().keys()
    assert layers.ReLU(max_value=3).max_value == 3
    assert layers.LeakyReLU().negative_slope == 0.3
    assert layers.Softmax().axis == -1
    assert layers.ELU().alpha == 1
    assert layers.Normalization().mean is None
    assert initializers.get(layers.BatchNormalization().gamma_initializer)((2,)).tolist() == [1, 1]


@pytest.mark.parametrize("name", ROWS)
def test_what_a_finding_was_is_as_keras_has_it(name):
    ROWS[name]()


def test_c14_a_picture_of_another_kind_does_not_stop_a_script(tmp_path):
    with pytest.warns(UserWarning, match="SVG"):
        path = fc.utils.plot_model(fc.Sequential([fc.Input((3,)), layers.Dense(2)]), tmp_path / "m.png")
    assert path.exists()


def test_r10_automatic_names_of_a_network_do_not_meet_a_user_s():
    image = layers.Conv2D(3, 1)(fc.Input((80, 80, 1)))
    assert fc.applications.InceptionV3(weights=None, include_top=False, input_tensor=image).built
