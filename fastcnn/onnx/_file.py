"""Reading a model file that nobody vouches for.

Nothing in it is executed, nothing outside its folder is read, and no number in it is believed before the bytes that it
speaks of have been counted. Every fault is one ModelFileError.
"""

import math
import os
from pathlib import Path, PureWindowsPath
from typing import Any, NoReturn

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from fastcnn.errors import ModelFileError
from fastcnn.formats.files import user_path
from fastcnn.onnx._inline import every_node, inlined

_LARGEST_FILE = 2**31 - 1  # bytes: what a protocol buffer can be
_OLDEST, _T = 1, onnx.TensorProto

#: How many bits an element takes, by the name of its type; of those that are not here, as many as in NumPy.
_BITS = {"INT4": 4, "UINT4": 4, "FLOAT4E2M1": 4, "INT2": 2, "UINT2": 2}


class Source:
    """Where a model comes from: what errors call it, and the folder its external data may lie in."""

    def __init__(self, name: str, folder: Path | None) -> None:
        self.name, self.folder = name, folder

    def fault(self, got: str, remedy: str = "export the model again, or get another copy") -> NoReturn:
        """Raise the error for a file that is not what it should be."""
        raise ModelFileError(f"{self.name}: expected an ONNX model, got {got}; {remedy}")


def read(model: str | os.PathLike[str] | bytes | onnx.ModelProto) -> tuple[onnx.ModelProto, Source]:
    """Return a parsed model whose functions are expanded, and where it came from.

    Parameters
    ----------
    model : path, bytes or ModelProto
        Of a path alone external data is read, from the same folder.

    Raises
    ------
    ModelFileError
        No such file, damage, or a model of another kind.
    """
    if isinstance(model, onnx.ModelProto):
        source, proto = Source("model", None), model
    elif isinstance(model, bytes):
        source = Source("model", None)
        proto = _parsed(model, source)
    else:
        path = user_path(model, "onnx.load")
        source = Source(str(path), path.parent)
        proto = _parsed(_bytes(path, source), source)
    _check_versions(proto, source)
    _check_names(proto, source)
    return inlined(proto, source.fault), source


def _bytes(path: Path, source: Source) -> bytes:
    try:
        if not path.is_file():  # a pipe would block forever
            source.fault("a folder" if path.is_dir() else "no file", "name the file itself")
        if (size := path.stat().st_size) > _LARGEST_FILE:
            source.fault(f"a file of {size:,} bytes", "save weights of more than 2 GB as external data")
        return path.read_bytes()
    except OSError as error:
        source.fault(f"a file that cannot be read ({error.strerror})", "check disk and permissions")


def _parsed(data: bytes, source: Source) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        source.fault(f"{len(data):,} bytes that are cut short, damaged or of another kind", "export the model "
                     "again, or get another copy; fc.saving.load_model reads .safetensors, .keras and .h5")
    return model


def _check_versions(model: onnx.ModelProto, source: Source) -> None:
    if not model.HasField("graph") or not model.ir_version:
        source.fault("a file without a graph or without its version")
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    newest = onnx.defs.onnx_opset_version()
    if len(versions) > 1 or any(not _OLDEST <= version <= newest for version in versions):
        source.fault(f"operator set {versions} (known are {_OLDEST} to {newest})",
                     "update onnx, or export for another operator set")


def _check_names(model: onnx.ModelProto, source: Source) -> None:
    """Refuse names that are no text: protocol buffers of ONNX's kind hand them out as bytes."""
    graphs, tensors = [model.graph], []
    nodes = [*every_node(model.graph.node), *(node for f in model.functions for node in every_node(f.node))]
    names: list[Any] = [name for f in model.functions for name in (f.domain, f.name, *f.input, *f.output)]
    names += [entry.domain for entry in model.opset_import]
    for node in nodes:
        names += [node.op_type, node.domain, node.name, *node.input, *node.output]
        for attribute in node.attribute:
            names.append(attribute.name)
            graphs += [attribute.g] if attribute.HasField("g") else []
            tensors += [attribute.t] if attribute.HasField("t") else []
    for graph in graphs:
        for info in (*graph.input, *graph.output):
            names += [info.name, *(dim.dim_param for dim in info.type.tensor_type.shape.dim)]
        tensors += graph.initializer
    for tensor_ in tensors:
        names += [tensor_.name, *(text for entry in tensor_.external_data for text in (entry.key, entry.value))]
    if wrong := [name for name in names if not isinstance(name, str)]:
        source.fault(f"the name {wrong[0]!r}, which is no text")


def opsets(model: onnx.ModelProto) -> dict[str, int]:
    """Return the version of each operator set by its domain."""
    return {"" if entry.domain == "ai.onnx" else entry.domain: entry.version for entry in model.opset_import}


def tensor(proto: onnx.TensorProto, source: Source) -> np.ndarray:
    """Return the array of a tensor, once its bytes are seen to be as many as its dimensions say.

    Raises
    ------
    ModelFileError
        Another number of bytes, an unknown type, or external data that lies elsewhere than beside the model.
    """
    who, dims = f"tensor {proto.name!r}", list(proto.dims)
    if any(n < 0 for n in dims):
        source.fault(f"{who} with the dimensions {dims}")
    try:
        kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(proto.data_type))
        name = _T.DataType.Name(proto.data_type)
    except (KeyError, TypeError, ValueError):
        source.fault(f"{who} of the unknown type {proto.data_type}")
    count = math.prod(dims)
    size = -(-count * _BITS.get(name, kind.itemsize * 8) // 8)
    if proto.HasField("segment"):
        source.fault(f"{who} in segments, which nobody writes")
    if proto.data_location == _T.EXTERNAL:
        whole = onnx.TensorProto(data_type=proto.data_type, dims=dims, name=proto.name)
        whole.raw_data = _external(proto, size, who, source)
        proto = whole
    elif proto.HasField("raw_data"):
        if len(proto.raw_data) != size or name == "STRING":
            source.fault(f"{who} of {dims} {name} with {len(proto.raw_data):,} bytes instead of {size:,}")
    else:
        expected = {"COMPLEX64": 2 * count, "COMPLEX128": 2 * count}.get(name, size if name in _BITS else count)
        given = len(getattr(proto, onnx.helper.tensor_dtype_to_field(proto.data_type)))
        if given != expected:
            source.fault(f"{who} of {dims} {name} with {given:,} numbers instead of {expected:,}")
    try:
        array = np.asarray(onnx.numpy_helper.to_array(proto))
    except (TypeError, ValueError, OverflowError) as error:
        source.fault(f"{who} that cannot be read ({error})")
    return array if array.flags.writeable and array.flags.c_contiguous else np.array(array, order="C")


def _external(proto: onnx.TensorProto, size: int, who: str, source: Source) -> bytes:
    """Return the bytes of a tensor that lie in another file of the model's folder."""
    entries = {entry.key: entry.value for entry in proto.external_data}
    location = entries.get("location", "")
    if source.folder is None:
        source.fault(f"{who} in another file, {location!r}", "give the path of the model, so that its folder is known")
    foreign = PureWindowsPath(location)
    if not location or "\0" in location or foreign.anchor or ".." in foreign.parts or location.startswith("/"):
        source.fault(f"{who} in {location!r}, which is no path within the model's folder")
    folder = Path(os.path.realpath(source.folder))
    path = Path(os.path.realpath(folder / location))
    if folder not in path.parents or not path.is_file():
        source.fault(f"{who} in {location!r}, which is no file of the model's folder", "put the file beside the model")
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", size))
    except ValueError:
        source.fault(f"{who} at {entries}, which are no numbers")
    there = path.stat().st_size
    if offset < 0 or length != size or offset + length > there:
        source.fault(f"{who} of {size:,} bytes at {offset:,}, {length:,} long, in {location!r} of {there:,} bytes")
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
