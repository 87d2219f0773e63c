"""ONNX's backend interface: ``prepare(model).run(inputs)``, for any ONNX graph of the table of operators.

    from fastcnn.onnx import backend
    backend.prepare(onnx.load("model.onnx")).run([images])
    backend.run_node(node, [x, w])

It takes arrays in the file's order of dimensions and computes in its types. What layers can run of a file they do, as
models that are fused and planned for the shapes that come, and the table of operators does the rest. To train a model,
make one of the file with `fastcnn.onnx.load`.
"""

import os
from typing import Any

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep, namedtupledict

from fastcnn.errors import ArgumentError, DataError
from fastcnn.onnx._file import read
from fastcnn.onnx._graph import ValueInfo, graph_of
from fastcnn.onnx._run import Runner


class FastcnnRep(BackendRep):
    """A model that was prepared.

    Parameters
    ----------
    runner : Runner
        The plan that `prepare` made of the file.

    Attributes
    ----------
    inputs, outputs : tuple of ValueInfo
        Names, types and shapes. Weights that the file lists among its inputs are none: their values are fixed.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.inputs, self.outputs = runner.program.graph.inputs, runner.program.graph.outputs
        self._result = namedtupledict("Outputs", runner.program.outputs)

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the outputs, as a tuple whose entries have the outputs' names.

        Parameters
        ----------
        inputs : sequence, dict or ndarray
            Arrays in the order of `inputs`, or by their names, or the only one.
        **kwargs
            None are known.

        Raises
        ------
        DataError
            If an input has another type or shape than the file declares.
        """
        if kwargs:
            raise ArgumentError(f"run: expected no further arguments, got {', '.join(kwargs)}")
        values = self._runner.run([_checked(array, value) for array, value in zip(self._listed(inputs), self.inputs)])
        return self._result(*map(_own, values))

    def _listed(self, inputs: Any) -> list[Any]:
        names = [value.name for value in self.inputs]
        if isinstance(inputs, dict):
            if set(inputs) != set(names):
                raise DataError(f"run: expected the inputs {names}, got {sorted(inputs)}")
            return [inputs[name] for name in names]
        arrays = [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
        if len(arrays) != len(names):
            raise DataError(f"run: expected {len(names)} inputs, {names}, got {len(arrays)}")
        return arrays


def _own(value: Any) -> Any:
    """Return a copy: a value may be a constant of the model, or an input."""
    if isinstance(value, list):
        return [_own(one) for one in value]
    return np.array(value, order="C") if isinstance(value, np.ndarray) else value


def _checked(array: Any, value: ValueInfo) -> Any:
    if value.dtype is None:
        return array
    array = np.asarray(array)
    if array.dtype != value.dtype and not (array.dtype.kind in "OUS" and value.dtype.kind in "OUS"):
        raise DataError(f"input {value.name!r}: expected {value.dtype}, got {array.dtype}; "
                        f"convert it with x.astype({value.dtype.name!r})")
    if value.shape is not None and (len(value.shape) != array.ndim or any(
            isinstance(n, int) and n != m for n, m in zip(value.shape, array.shape))):
        raise DataError(f"input {value.name!r}: expected the shape {value.shape}, got {array.shape}")
    return array


class FastcnnBackend(Backend):
    """The class ONNX's test suite asks for; the functions of this module are its methods."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto | str | os.PathLike[str], device: str = "CPU",
                **kwargs: Any) -> FastcnnRep:
        """Check and plan a model; computes all that depends on constants alone.

        Parameters
        ----------
        model : ModelProto or path
        device : str
            CPU.
        **kwargs
            None are known.

        Raises
        ------
        ModelFileError
            Damage, or operators that are not offered, all in one message.
        """
        if not cls.supports_device(device) or kwargs:
            raise ArgumentError(f"prepare: expected the device CPU and no further arguments, got {device!r} {kwargs}")
        proto, source = read(model)
        return FastcnnRep(Runner(graph_of(proto, source), source.name))

    @classmethod
    def run_model(cls, model: onnx.ModelProto | str | os.PathLike[str], inputs: Any, device: str = "CPU",
                  **kwargs: Any) -> tuple[Any, ...]:
        """Prepare a model and run it once; as `prepare` and `FastcnnRep.run`."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(cls, node: onnx.NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None,
                 **kwargs: Any) -> tuple[Any, ...]:
        """Run one node.

        Parameters
        ----------
        node : NodeProto
        inputs : sequence of arrays, or dict
            For the inputs that have a name, in their order.
        device : str
            CPU.
        outputs_info
            Not needed.
        **kwargs
            `opset_version`: of the node; the newest if absent.
        """
        version = kwargs.pop("opset_version", onnx.defs.onnx_opset_version())
        names = list(dict.fromkeys(name for name in node.input if name))
        arrays = [inputs[name] for name in names] if isinstance(inputs, dict) else list(inputs)
        infos = [_info(name, array) for name, array in zip(names, arrays)]
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        graph = onnx.helper.make_graph([node], "node", infos, outputs)
        domains = {"": version} | ({} if node.domain in ("", "ai.onnx") else {node.domain: 1})
        sets = [onnx.helper.make_opsetid(*item) for item in domains.items()]
        model = onnx.helper.make_model(graph, opset_imports=sets)
        return cls.run_model(model, arrays, device, **kwargs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Return whether it is the CPU."""
        return device.split(":")[0] == "CPU"


def _info(name: str, array: Any) -> onnx.ValueInfoProto:
    if not isinstance(array, np.ndarray):
        return onnx.ValueInfoProto(name=name)
    return onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


is_compatible = FastcnnBackend.is_compatible
prepare = FastcnnBackend.prepare
run_model = FastcnnBackend.run_model
run_node = FastcnnBackend.run_node
supports_device = FastcnnBackend.supports_device
