"""What the tests of Keras's files share: files in Keras's layouts, written here by h5py."""

import json
import zipfile

import numpy as np


def write_arrays(path, arrays, **attributes):
    """Write arrays by their place into an HDF5 file, as Keras 3 does; return the path."""
    import h5py

    with h5py.File(path, "w") as file:
        for place, value in arrays.items():
            file[place] = value
        file.attrs.update(attributes)
    return path


def write_listed(path, groups, root="", **attributes):
    """Write {layer: {weight: array}} as Keras 1 and 2 do; return the path."""
    import h5py

    with h5py.File(path, "w") as file:
        group = file.require_group(root) if root else file
        group.attrs["layer_names"] = [name.encode() for name in groups]
        for name, weights in groups.items():
            own = group.create_group(name)
            own.attrs["weight_names"] = [weight.encode() for weight in weights]
            for weight, value in weights.items():
                own[weight] = value
        file.attrs.update(attributes)
    return path


def write_h5_model(path, config, groups, version="2.4.0", training=None):
    """Write a whole model as Keras 2 does; return the path."""
    texts = {"model_config": config, "training_config": training}
    return write_listed(path, groups, "model_weights", keras_version=version, backend="tensorflow",
                        **{key: json.dumps(value) for key, value in texts.items() if value is not None})


def write_archive(path, config, arrays, version="3.15.1"):
    """Write a whole model as Keras 3 does; return the path."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(config))
        archive.write(write_arrays(path.with_suffix(".parts"), arrays), "model.weights.h5")
    path.with_suffix(".parts").unlink()
    return path


def values(*shapes, seed=0):
    """Return arrays of small positive numbers."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.1, 0.5, shape).astype(np.float32) for shape in shapes]


def entry(kind, name, inbound=None, **config):
    """Return a layer of Keras's JSON, with its calls in a functional model."""
    told = {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32"} | config}
    return told if inbound is None else told | {"name": name, "inbound_nodes": inbound}


def image(key="batch_input_shape", shape=(None, 4, 4, 2), name="x", inbound=None):
    """Return an InputLayer."""
    return entry("InputLayer", name, inbound, **{key: list(shape)}, sparse=False, ragged=False)


def sequential(*parts, name="net", **more):
    """Return a Sequential model."""
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(parts)} | more}


def functional(parts, inputs, outputs, name="net"):
    """Return a functional model."""
    return {"class_name": "Functional", "config": {
        "name": name, "layers": parts, "input_layers": inputs, "output_layers": outputs}}  # fmt: skip


def tensor(name, node=0, index=0):
    """Return a tensor as Keras 3 names it."""
    return {"class_name": "__keras_tensor__", "config": {"shape": [], "keras_history": [name, node, index]}}


def call(*args, **kwargs):
    """Return a call as Keras 3 writes it."""
    return {"args": list(args), "kwargs": kwargs}
