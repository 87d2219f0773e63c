"""Every public name of Keras is here, or is told of by a sentence: in rooms, of objects, of constructors."""

import inspect

import pytest

import fastcnn as fc
from fastcnn import unsupported

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.peers

ROOMS = ["activations", "applications", "callbacks", "config", "datasets", "initializers", "layers", "losses",
         "metrics", "models", "ops", "optimizers", "random", "regularizers", "saving", "utils"]


def public(thing):
    return [name for name in dir(thing) if not name.startswith("_")]


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_every_name_of_a_room_is_here_or_told_of(room):
    ours, theirs = (getattr(m, room) if room else m for m in (fc, keras))
    table = unsupported.table("names", room or "fastcnn")
    for name in public(theirs):
        assert hasattr(ours, name) or name in table, name


def models(library):
    model = library.Sequential([library.Input((2,)), library.layers.Dense(2)])
    model.compile("sgd", "mse")
    return model


PAIRS = {
    "layer": models, "layer of a model": lambda m: models(m).layers[0], "loss": lambda m: m.losses.Huber(),
    "metric": lambda m: m.metrics.AUC(), "optimizer": lambda m: m.optimizers.Adam(),
    "callback": lambda m: m.callbacks.Callback(), "initializer": lambda m: m.initializers.HeNormal(),
    "regularizer": lambda m: m.regularizers.L2(), "tensor": lambda m: m.Input((2,)),
    "parameter": lambda m: models(m).weights[0],
}  # fmt: skip


@pytest.mark.parametrize("kind", PAIRS)
def test_every_attribute_of_an_object_is_here_or_told_of(kind):
    ours, theirs = PAIRS[kind](fc), PAIRS[kind](keras)
    table = unsupported.table("attributes", kind.split()[0])
    for name in public(theirs):
        assert hasattr(ours, name) or name in table, name


@pytest.mark.parametrize("room", ["layers", "losses", "metrics", "optimizers", "initializers", "regularizers"])
def test_every_argument_of_a_constructor_is_taken_or_told_of(room):
    told = unsupported.table("arguments", "arguments")
    for name in public(getattr(keras, room)):
        ours, theirs = (getattr(getattr(m, room), name, None) for m in (fc, keras))
        if not (inspect.isclass(ours) and inspect.isclass(theirs)):
            continue
        taken = [p for kind in ours.__mro__ for p in inspect.signature(kind.__init__).parameters]
        for p in inspect.signature(theirs.__init__).parameters.values():
            if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
                assert p.name in taken or p.name in told, f"{name}({p.name}=)"
