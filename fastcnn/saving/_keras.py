"""Weights out of Keras's files, read by h5py: ``.weights.h5`` and ``.keras`` of Keras 3, ``.h5`` of Keras 1 and 2.

Keras 3 names the place of a layer by its class and a count, not by its name, since names differ from run to run; a
``.keras`` file is a zip archive with such a file in it::

    layers/conv2d/vars/0                            the kernel of the first Conv2D in model.layers
    layers/conv2d/vars/1                            its bias
    layers/conv2d_1/vars/0                          the kernel of the second
    layers/functional/layers/dense/vars/0           the first Dense in the first model in the model

Keras 1 and 2 list the layers in an attribute, and the weights of each in another, trained ones first::

    layer_names = [conv1, bn1, ...]     conv1: weight_names = [conv1/kernel:0, conv1/bias:0]     conv1/conv1/kernel:0

A file is data from anywhere, so nothing in it is followed out of it (links, external storage), a shape is compared with
the parameter's before anything is read, an archive unpacks to no more than a model of this size can need, and nothing
is assigned before everything fits. (What HDF5's own library does with a damaged file is beyond this.)
"""

import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.parameters import Parameter

if TYPE_CHECKING:
    from fastcnn.models import Model

_MEMBER = "model.weights.h5"
_TIMES_THE_MODEL, _BESIDE = 8, 64 << 20  # an optimizer's moments, an average; names, the tree of groups
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}  # what HDF5 and h5py bring along
_RESTORE = "restore it from a copy, or let Keras write it again"


def load(model: "Model", path: Path) -> None:
    """As `fastcnn.saving.load_keras_weights`."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError('reading Keras\'s files needs h5py: pip install "fastcnn[keras]"') from error
    if not model.built:
        raise ArgumentError(f"{model}: expected a built model, got one without weights; call build(input_shape)")
    try:
        with _hdf5(path, sum(p.size * p.dtype.itemsize for p in model.weights)) as opened, \
                h5py.File(opened, "r") as file:
            values = _Reading(h5py, path, file).values(model)
    except ModelFileError:
        raise
    except OSError as error:
        raise _fault(path, f"a file that cannot be read ({error})") from error
    except Exception as error:  # h5py raises nearly anything on damaged files: KeyError, RuntimeError, ValueError ...
        raise _fault(path, f"damage or a layout that Keras does not write ({type(error).__name__}: {error})") from error
    for parameter, value in values:
        parameter.assign(value)


def _fault(path: Path, got: str, remedy: str = _RESTORE) -> ModelFileError:
    return ModelFileError(f"{path}: expected weights written by Keras, got {got}; {remedy}")


@contextmanager
def _hdf5(path: Path, model_bytes: int) -> Iterator[Any]:
    """Give the path of an HDF5 file, or the open one that an archive holds."""
    if not path.is_file():
        raise _fault(path, "a folder" if path.is_dir() else "no file", "name the file itself")
    with path.open("rb") as file:
        start = file.read(8)
    if start == b"\x89HDF\r\n\x1a\n":
        yield path
    elif start.startswith(b"PK\x03\x04"):
        with tempfile.TemporaryFile() as plain:
            _unpack(path, plain, _TIMES_THE_MODEL * model_bytes + _BESIDE)
            yield plain
    else:
        raise _fault(path, "neither an HDF5 file nor a .keras archive",
                     "write it with keras_model.save_weights('x.weights.h5')")


def _unpack(path: Path, plain: Any, most: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if _MEMBER not in archive.namelist():
                raise _fault(path, f"an archive without {_MEMBER}",
                             "write it with keras_model.save('x.keras'), in one piece")
            member = archive.getinfo(_MEMBER)
            if member.file_size > most:
                raise _fault(path, f"{member.file_size:,} bytes of weights, more than the {most:,} that a file for "
                                   f"this model can have", "check that it is the file of this model")
            with archive.open(member) as packed:  # gives no more than file_size, and compares the checksum at the end
                while block := packed.read(1 << 20):
                    plain.write(block)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _fault(path, f"a damaged archive ({error})") from error
    plain.seek(0)


class _Reading:
    """One file being read: what is wrong is gathered, and told at once."""

    def __init__(self, h5py: Any, path: Path, file: Any) -> None:
        self.h5py, self.path, self.file = h5py, path, file
        self.wrong: list[str] = []

    def values(self, model: "Model") -> list[tuple[Parameter, np.ndarray]]:
        """Return the value of each parameter.

        Raises
        ------
        ModelFileError
            If any does not fit.
        """
        root = self.file
        if "layer_names" not in root.attrs and "layer_names0" not in root.attrs and "model_weights" in root:
            root = self.group(root, "model_weights")  # a whole model of Keras 2
        listed = self.names(root, "layer_names")
        found = list(self._listed(model, root, listed) if listed else self._placed(model))
        if self.wrong:
            more = f" and {len(self.wrong) - 8} more" if len(self.wrong) > 8 else ""
            raise ModelFileError(f"{self.path}: expected the weights of {model}, got {', '.join(self.wrong[:8])}"
                                 f"{more}; make the model as the one that was saved")
        return found

    def _placed(self, model: "Model") -> Iterator[tuple[Parameter, np.ndarray]]:
        """As Keras 3 writes it."""
        if "layers" not in self.file:
            raise _fault(self.path, "an HDF5 file without layers", "write it with keras_model.save_weights")
        used = set()
        for place, layer in _places(model, "layers", set()):
            used.add(place)
            variables = self.group(self.file, f"{place}/vars")
            names = [] if variables is None else list(variables)
            if len(names) != len(layer.weights):
                self.wrong.append(f"{len(names)} weights in {place} instead of the {len(layer.weights)} of {layer}")
                continue
            for i, parameter in enumerate(layer.weights):
                yield from self.value(variables, str(i), parameter, f"{place}/vars/{i}")
        self._look_for_more(used)

    def _look_for_more(self, used: set[str]) -> None:
        others: dict[str, int] = {}

        def visit(name: str, thing: Any) -> None:
            place, vars_, _ = f"layers/{name}".rpartition("/vars/")
            if isinstance(thing, self.h5py.Dataset) and vars_ and place not in used and "seed_generator" not in place:
                others[place] = others.get(place, 0) + 1

        self.group(self.file, "layers").visititems(visit)  # hard links alone, each object once
        self.wrong += [f"{count} weights in {place}, which the model lacks" for place, count in others.items()]
        # Of layers without weights only this one changes what comes out, and Keras's EfficientNets have it or not.
        for name in self.file["layers"]:
            if re.fullmatch(r"rescaling_\d+", name) and f"layers/{name}" not in used:
                self.wrong.append(f"layers/{name}, which the model lacks (an EfficientNet needs "
                                  f"imagenet_rescaling=True)")

    def _listed(self, model: "Model", root: Any, names: list[str]) -> Iterator[tuple[Parameter, np.ndarray]]:
        """As Keras 1 and 2 write it: by the layers' names if they are the same, else in their order."""
        groups = {name: self.group(root, name) for name in names}
        missing = [name for name, group in groups.items() if group is None]
        if missing:
            raise _fault(self.path, f"no group {', '.join(map(repr, missing[:8]))} for a layer it lists")
        weights = {name: self.names(group, "weight_names") for name, group in groups.items()}
        weights = {name: own for name, own in weights.items() if own}
        layers = [layer for layer in model.layers if layer.weights]
        if len(weights) != len(layers):
            self.wrong.append(f"{len(weights)} layers with weights instead of {len(layers)}")
            return
        by_name = {layer.name: layer for layer in layers}
        if by_name.keys() == weights.keys():
            layers = [by_name[name] for name in weights]
        for (name, own), layer in zip(weights.items(), layers, strict=True):
            parameters = sorted(layer.weights, key=lambda p: not p.trainable)
            if len(own) != len(parameters):
                self.wrong.append(f"{len(own)} weights in {name} instead of the {len(parameters)} of {layer}")
                continue
            for weight, parameter in zip(own, parameters, strict=True):
                yield from self.value(groups[name], weight, parameter, f"{name}/{weight}")

    def names(self, group: Any, attribute: str) -> list[str]:
        """Return an attribute that lists names; a long one is in parts, with numbers."""
        parts = [attribute] if attribute in group.attrs else []
        while attribute not in group.attrs and f"{attribute}{len(parts)}" in group.attrs:
            parts.append(f"{attribute}{len(parts)}")
        found = []
        for part in parts:
            opened = self.h5py.h5a.open(group.id, part.encode())
            if not opened.get_space().get_simple_extent_npoints():
                continue
            # Asked before anything is read: HDF5 follows a damaged type of variable length out of its memory.
            if opened.get_type().get_class() != self.h5py.h5t.STRING:
                raise _fault(self.path, f"an attribute {part!r} of {group.name} that lists no names")
            found += [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs[part]]
        return found

    def group(self, parent: Any, path: str) -> Any:
        """Return a group, None if there is none."""
        for name in path.split("/"):
            parent = self._child(parent, name)
            if parent is None:
                return None
            if not isinstance(parent, self.h5py.Group):
                raise _fault(self.path, f"an array where a group {name!r} should be")
        return parent

    def value(self, group: Any, name: str, parameter: Parameter, where: str) -> Iterator[tuple[Parameter, np.ndarray]]:
        """Yield a parameter and its value, if it fits."""
        folder, _, last = name.rpartition("/")
        array = self._child(self.group(group, folder) if folder else group, last)
        if array is None:
            self.wrong.append(f"no {where}")
            return
        if not isinstance(array, self.h5py.Dataset):
            raise _fault(self.path, f"a group where the array {where} should be")
        creation = array.id.get_create_plist()
        filters = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
        if array.external or array.is_virtual or not set(filters) <= set(_FILTERS):
            raise _fault(self.path, f"an array {where} that lies outside of it or needs a filter of another program",
                         "Keras writes no such thing: do not trust the file")
        if array.shape != parameter.shape or array.dtype.kind not in "fiu":
            self.wrong.append(f"{where} as {array.dtype} {array.shape} instead of {parameter.shape} for "
                              f"{parameter.path!r}")
            return
        yield parameter, np.asarray(array[()], parameter.dtype)

    def _child(self, parent: Any, name: str) -> Any:
        if parent is None or not name or name not in parent:
            return None
        if not isinstance(parent.get(name, getlink=True), self.h5py.HardLink):
            raise _fault(self.path, f"a link {name!r} to somewhere else", "Keras writes none: do not trust the file")
        return parent[name]


def _places(model: "Model", folder: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the place of each layer in a file of Keras 3; a layer that is met again has none."""
    from fastcnn.layers.base import snake_case  # here, since they import Numba
    from fastcnn.models import Model, Sequential

    counts: Counter[str] = Counter()
    layer: Any
    for layer in model.layers:
        inner = isinstance(layer, Model)
        kind = ("sequential" if isinstance(layer, Sequential) else "functional") if inner else (
            snake_case(type(layer).__name__))
        place = f"{folder}/{kind}_{counts[kind]}" if counts[kind] else f"{folder}/{kind}"
        counts[kind] += 1
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if inner:
            yield from _places(layer, f"{place}/layers", seen)
        else:
            yield place, layer
