"""Random graphs, as recipes that fastcnn and Keras both can cook: the same layers, names and calls.

A recipe is a list of steps (what, where from, where from as well), each number taken modulo what there is; every step
puts one more tensor of shape (None, 6, 6, C) on the list, or several. The names tell which step made a layer.
"""

from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st

KINDS = ("conv", "wide", "relu", "tanh", "norm", "dropout", "add", "concatenate", "gate", "again", "block", "chain",
         "twins", "reuse")
NUMBER = st.integers(0, 99)
RECIPES = st.fixed_dictionaries({
    "inputs": st.integers(1, 2),
    "steps": st.lists(st.tuples(st.sampled_from(KINDS), NUMBER, NUMBER), min_size=1, max_size=9),
    "outputs": st.lists(NUMBER, max_size=2),
    "head": st.booleans(),
})


def cook(recipe, library, dtype="float32"):
    """Return the model of a recipe; `library` has layers, Input, Model and Sequential."""
    make = SimpleNamespace(library=library, layers=library.layers, kw={"dtype": dtype}, used=[], models=[])
    inputs = [library.Input((6, 6, 2 + k), name=f"input{k}", dtype=dtype) for k in range(recipe["inputs"])]
    tensors = list(inputs)
    for k, (kind, a, b) in enumerate(recipe["steps"]):
        x, y = tensors[a % len(tensors)], tensors[b % len(tensors)]
        made = STEPS[kind](make, f"{kind}{k}", x, y, a)
        tensors += made if isinstance(made, (list, tuple)) else [made]
    outputs = [tensors[-1], *(tensors[k % len(tensors)] for k in recipe["outputs"])]
    if recipe["head"]:
        x = make.layers.GlobalAveragePooling2D(name="pool", **make.kw)(outputs[0])
        outputs[0] = make.layers.Dense(3, activation="softmax", name="head", **make.kw)(x)
    return library.Model(inputs, outputs if len(outputs) > 1 else outputs[0], name="random")


def _conv(make, name, x, y, k, filters=3):
    layer = make.layers.Conv2D(filters, 1 + 2 * (k % 2), padding="same", name=name,
                               activation=[None, "relu", "tanh"][k % 3], **make.kw)
    make.used.append((layer, x.shape[-1]))
    return layer(x)


def _again(make, name, x, y, k):
    """Call a layer that was called before, if one takes such a tensor."""
    suited = [layer for layer, channels in make.used if channels == x.shape[-1]]
    return suited[k % len(suited)](x) if suited else make.layers.ReLU(name=name, **make.kw)(x)


def _same(make, name, x, channels):
    return x if x.shape[-1] == channels else make.layers.Conv2D(channels, 1, name=f"{name}_fit", **make.kw)(x)


def _block(make, name, x, y, k):
    """Call a model with a skip, which holds a layer of the outer model if one suits."""
    inside = make.library.Input((6, 6, x.shape[-1]), name=f"{name}_input", **make.kw)
    suited = [layer for layer, channels in make.used if channels == x.shape[-1]]
    z = suited[0](inside) if suited and k % 2 else make.layers.Conv2D(2, 3, padding="same", name=f"{name}_conv",
                                                                      **make.kw)(inside)
    z = make.layers.ReLU(name=f"{name}_relu", **make.kw)(z)
    z = make.layers.Concatenate(name=f"{name}_concatenate", **make.kw)([z, inside])
    model = make.library.Model(inside, z, name=name)
    make.models.append((model, x.shape[-1]))
    return model(x)


def _chain(make, name, x, y, k):
    """Call a Sequential, which may hold another model."""
    suited = [model for model, channels in make.models if channels == x.shape[-1]]
    first = suited[:1] if k % 2 else []
    model = make.library.Sequential([
        make.library.Input((6, 6, x.shape[-1]), **make.kw), *first,
        make.layers.Conv2D(2, 3, padding="same", name=f"{name}_conv", **make.kw),
        make.layers.BatchNormalization(name=f"{name}_norm", **make.kw),
        make.layers.ReLU(name=f"{name}_relu", **make.kw)], name=name)
    make.models.append((model, x.shape[-1]))
    return model(x)


def _twins(make, name, x, y, k):
    """Call a model of two outputs."""
    inside = make.library.Input((6, 6, x.shape[-1]), name=f"{name}_input", **make.kw)
    model = make.library.Model(inside, [
        make.layers.Conv2D(2, 1, name=f"{name}_a", **make.kw)(inside),
        make.layers.Conv2D(3, 3, padding="same", activation="relu", name=f"{name}_b", **make.kw)(inside)], name=name)
    return model(x)


def _reuse(make, name, x, y, k):
    """Call a model that was called before, if one takes such a tensor."""
    suited = [model for model, channels in make.models if channels == x.shape[-1]]
    return suited[k % len(suited)](x) if suited else make.layers.Activation("tanh", name=name, **make.kw)(x)


STEPS = {
    "conv": _conv, "again": _again, "block": _block, "chain": _chain, "twins": _twins, "reuse": _reuse,
    "wide": lambda make, name, x, y, k: _conv(make, name, x, y, k, 5),
    "relu": lambda make, name, x, y, k: make.layers.ReLU(name=name, **make.kw)(x),
    "tanh": lambda make, name, x, y, k: make.layers.Activation("tanh", name=name, **make.kw)(x),
    "norm": lambda make, name, x, y, k: make.layers.BatchNormalization(name=name, **make.kw)(x),
    "dropout": lambda make, name, x, y, k: make.layers.Dropout(0.3, seed=k, name=name, **make.kw)(x),
    "add": lambda make, name, x, y, k: make.layers.Add(name=name, **make.kw)(
        [x, _same(make, name, y, x.shape[-1]), *([x] * (k % 2))]),
    "gate": lambda make, name, x, y, k: make.layers.Multiply(name=name, **make.kw)(
        [_same(make, name, y, x.shape[-1]), x]),
    "concatenate": lambda make, name, x, y, k: make.layers.Concatenate(name=name, **make.kw)([x, y]),
}


def with_values(model, seed=0):
    """Give every parameter a value of its own, also those that begin as 0 or 1."""
    draw = np.random.default_rng(seed)
    for p in model.weights:
        value = 0.4 * draw.standard_normal(p.shape)
        p.assign(np.abs(value) + 0.5 if "variance" in p.name else value + (p.name == "gamma"))
    return model


def samples(model, count, seed=0):
    """Return a list of inputs for a model."""
    draw = np.random.default_rng(seed)
    return [draw.standard_normal((count, *t.shape[1:])).astype(str(t.dtype)) for t in model.inputs]
