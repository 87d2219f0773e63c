"""Names that fastcnn has not say what there is instead, and stay the errors that Python expects."""

import copy
import importlib
import pickle
import re

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, unsupported
from fastcnn.unsupported import arguments, attributes, names

ROOMS = [room.lower() for room in vars(names) if room.isupper() and room[0] != "_"]
HAVING = {
    "layer": lambda: layers.Dense(2), "loss": fc.losses.MeanSquaredError, "metric": fc.metrics.AUC,
    "optimizer": fc.optimizers.SGD, "callback": fc.callbacks.History, "initializer": fc.initializers.Zeros,
    "tensor": lambda: fc.Input((2,)), "parameter": lambda: built().weights[0],
}  # fmt: skip


#: Rooms that have all of the names of Keras.
WHOLE = ("applications", "metrics", "models", "regularizers")


def built():
    return fc.Sequential([fc.Input((2,)), layers.Dense(2)])


def room_of(name):
    return fc if name == "fastcnn" else importlib.import_module(f"fastcnn.{name}")


@pytest.mark.parametrize("room", ROOMS)
def test_a_name_that_is_told_of_is_not_there_and_says_what_is(room):
    module, table = room_of(room), unsupported.table("names", room)
    assert table or room in WHOLE
    for name, instead in table.items():
        assert not hasattr(module, name)
        with pytest.raises(AttributeError, match=rf"{module.__name__}\.{name} is not offered; ") as error:
            getattr(module, name)
        assert type(error.value) is fc.errors.MissingError
        assert str(error.value).endswith(instead)
        assert name not in dir(module)


def test_what_is_said_to_be_there_is_there():
    told = [instead for rows in (names, attributes, arguments) for room, table in vars(rows).items()
            if room.isupper() and room[0] != "_" for instead in table]
    named = {path for instead in told for path in re.findall(r"\bfc\.([\w.]*\w)", instead)}
    assert len(named) > 20
    for path in named:
        thing = fc
        for name in path.split("."):
            thing = getattr(thing, name)


def test_what_is_imported_by_name_says_it_too():
    with pytest.raises(ImportError, match=r"fastcnn\.layers\.LSTM is not offered; layers for sequences"):
        from fastcnn.layers import LSTM  # noqa: F401
    with pytest.raises(ImportError, match=r"fastcnn\.callbacks\.RemoteMonitor is not offered; CSVLogger writes"):
        from fastcnn.callbacks import RemoteMonitor  # noqa: F401
    with pytest.raises(ImportError, match=r"fastcnn\.distribution is not offered"):
        from fastcnn import distribution  # noqa: F401
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from fastcnn.layers import Nothing  # noqa: F401


def test_a_name_that_nobody_has_is_a_plain_error():
    for room in ("fastcnn", "layers", "callbacks"):
        with pytest.raises(AttributeError, match=rf"module 'fastcnn.*{'' if room == 'fastcnn' else room}' has no attr"):
            _ = room_of(room).nothing_at_all
    with pytest.raises(AttributeError, match="'MeanSquaredError' object has no attribute 'nothing'"):
        _ = fc.losses.MeanSquaredError().nothing


@pytest.mark.parametrize("kind", HAVING)
def test_an_attribute_that_is_told_of_is_not_there_and_says_what_is(kind):
    thing, table = HAVING[kind](), unsupported.table("attributes", kind)
    for name, instead in table.items():
        assert not hasattr(thing, name) or kind == "layer"
        if not hasattr(thing, name):
            with pytest.raises(AttributeError, match=f"{name} is not offered; ") as error:
                getattr(thing, name)
            assert str(error.value).endswith(instead)
    with pytest.raises(AttributeError, match=r"Sequential \".*\": get_build_config is not offered; json\.dumps"):
        _ = built().get_build_config
    assert {room.lower() for room in vars(attributes) if room.isupper() and room[0] != "_"} == set(HAVING)


@pytest.mark.parametrize(("make", "text"), [
    (lambda: fc.optimizers.Adam(lr=1e-3), r"Adam: lr=0\.001 is not offered; give learning_rate"),
    (lambda: fc.optimizers.SGD(decay=0.1), "SGD: decay=0.1 is not offered; .*schedule"),
    (lambda: fc.optimizers.SGD(nesterof=True), "SGD: argument: 'nesterof' is not known; did you mean 'nesterov'"),
    (lambda: fc.losses.Huber(Delta=2), "Huber: argument: 'Delta' is not known; did you mean 'delta'"),
    (lambda: fc.metrics.AUC(threshold=[0.5]), "'threshold' is not known; did you mean 'thresholds'"),
    (lambda: fc.initializers.HeNormal(input_axes=1), "HeNormal: input_axes=1 is not offered; fans"),
    (lambda: layers.Dense(2, autocast=False), "Dense: autocast=False is not offered; layers have one type, dtype"),
    (lambda: layers.Dense(2, weights=[]), r"Dense: weights=\[\] is not offered; .*set_weights"),
    (lambda: fc.regularizers.L2(l=0.1), "L2: argument: 'l' is not known"),
    (lambda: layers.Dense(2, batch_size=3), "a batch may be of any size")])
def test_an_argument_that_is_not_known_stays_a_type_error_with_a_sentence(make, text):
    with pytest.raises(TypeError, match=text) as error:
        make()
    assert type(error.value) is fc.errors.UnknownArgumentError


def test_classes_of_one_s_own_take_what_they_like():
    class Own(fc.losses.MeanSquaredError):
        def __init__(self, **more):
            self.more = more
            super().__init__()

    class Plain(fc.callbacks.Callback):
        def __init__(self, patience):
            self.patience = patience

    class Bare(fc.metrics.Mean):
        pass

    assert Own(lr=3).more == {"lr": 3}
    assert Plain(patience=2).patience == 2
    with pytest.raises(TypeError, match="Plain: argument: 'patient' is not known; did you mean 'patience'"):
        Plain(patient=2)
    with pytest.raises(TypeError, match="Bare: lr=1 is not offered"):
        Bare(lr=1)
    assert fc.metrics.MeanMetricWrapper(lambda y, p, lr: np.full(len(y), lr), lr=3)([1], [1]) == 3


@pytest.mark.parametrize("make", [fc.losses.Huber, fc.metrics.Recall, fc.optimizers.Adam, fc.initializers.HeNormal,
                                  lambda: fc.regularizers.L2(0.1), fc.callbacks.History])
def test_what_says_what_is_missing_is_copied_and_pickled_as_before(make):
    thing = make()
    for again in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
        assert type(again) is type(thing)
        assert set(vars(again)) == set(vars(thing))


def test_the_bases_are_at_the_top_as_in_keras():
    assert fc.Layer is layers.Layer
    assert (fc.Loss, fc.Metric, fc.Optimizer) == (fc.losses.Loss, fc.metrics.Metric, fc.optimizers.Optimizer)
    assert issubclass(fc.initializers.Zeros, fc.Initializer)
    assert issubclass(fc.regularizers.L1, fc.Regularizer)


def test_a_model_keeps_the_history_of_its_last_training():
    model = built()
    model.compile("sgd", "mse")
    assert model.history is None
    history = model.fit(np.ones((4, 2), np.float32), np.ones((4, 2)), verbose=0)
    assert model.history is history
