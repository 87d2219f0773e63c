"""What TensorBoard shows of a training: curves, histograms, filters, the graph."""

import time
from collections.abc import Collection
from typing import Any

import numpy as np

from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.tensorboard_pictures import picture
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import user_path


class TensorBoard(Callback):
    """Writes files that TensorBoard reads; tensorboardX writes them (extra ``tensorboard``), TensorFlow is not needed.

    The folder ``train`` has ``epoch_loss`` and the like, ``epoch_learning_rate`` and the graph of layers;
    ``validation`` has what is reported of it, and ``evaluation_loss_vs_iterations``.

    Parameters
    ----------
    log_dir : path-like
    histogram_freq : int
        After so many epochs, beginning with the first, histograms of the weights and of their last gradients; 0: never.
    write_graph : bool
    write_images : bool
        With the histograms, filters as pictures: those of three channels in colour.
    write_steps_per_second : bool
    update_freq : "epoch", "batch" or int
        After so many batches their running means, too, as ``batch_loss`` and the like; "batch" is 1.
    profile_batch, embeddings_freq : 0
    embeddings_metadata : None

    Raises
    ------
    ImportError
        Before training, if tensorboardX is not there.

    Examples
    --------
    >>> board = fc.callbacks.TensorBoard("logs/first", histogram_freq=1, update_freq=100)
    >>> board.log_dir.name
    'first'
    """

    changes = ("_train_batches",)

    def __init__(self, log_dir: Any = "logs", histogram_freq: int = 0, write_graph: bool = True,
                 write_images: bool = False, write_steps_per_second: bool = False, update_freq: Any = "epoch",
                 profile_batch: Any = 0, embeddings_freq: int = 0, embeddings_metadata: Any = None) -> None:
        for name, value in (("profile_batch", profile_batch), ("embeddings_freq", embeddings_freq),
                            ("embeddings_metadata", embeddings_metadata)):
            if value:
                raise ArgumentError(f"TensorBoard: {name}={value!r} is not offered; leave it out")
        every = 1 if update_freq == "batch" else update_freq
        if every != "epoch" and (type(every) is not int or every < 1):
            raise ArgumentError(f'TensorBoard: expected update_freq to be "epoch", "batch" or a positive integer, got '
                                f"{update_freq!r}")
        if type(histogram_freq) is not int or histogram_freq < 0:
            raise ArgumentError(f"TensorBoard: expected histogram_freq to be an integer from 0, got {histogram_freq!r}")
        self.log_dir = user_path(log_dir, "TensorBoard")
        self.histogram_freq, self.write_graph = histogram_freq, write_graph
        self.write_images, self.write_steps_per_second, self.update_freq = write_images, write_steps_per_second, every
        self._train_batches = 0
        self._writers: dict[str, Any] = {}

    def check(self, names: Collection[str]) -> None:
        _tensorboardx()

    def on_train_begin(self, logs: Logs) -> None:
        self._train_batches = 0
        if self.write_graph:
            _add_graph(self._writer("train"), self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._epoch_began = time.perf_counter(), self._train_batches

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._train_batches += 1
        if self.update_freq != "epoch" and self._train_batches % self.update_freq == 0:
            self._add("train", {f"batch_{name}": value for name, value in logs.items()}, self._train_batches)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        trained = {name: value for name, value in logs.items() if not name.startswith("val_")}
        trained["learning_rate"] = self.model.optimizer.learning_rate
        if self.write_steps_per_second:
            began, before = self._epoch_began
            trained["steps_per_second"] = (self._train_batches - before) / (time.perf_counter() - began)
        validated = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        for part, values in (("train", trained), ("validation", validated)):
            self._add(part, {f"epoch_{name}": value for name, value in values.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._add_weights(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_test_end(self, logs: Logs) -> None:
        self._add("validation", {f"evaluation_{name}_vs_iterations": value for name, value in logs.items()},
                  self.model.optimizer.iterations)

    def on_train_end(self, logs: Logs) -> None:
        self._close()

    def on_train_interrupted(self, error: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _writer(self, part: str) -> Any:
        if part not in self._writers:
            self._writers[part] = _tensorboardx().SummaryWriter(str(self.log_dir / part))
        return self._writers[part]

    def _add(self, part: str, values: Logs, step: int) -> None:
        for name, value in values.items():
            if np.ndim(value):
                for number, one in enumerate(np.ravel(value)):
                    self._writer(part).add_scalar(f"{name}/{number}", float(one), step)
            else:
                self._writer(part).add_scalar(name, float(value), step)

    def _add_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for weight in self.model.weights:
            arrays = {"histogram": weight.value}
            if weight.trainable:
                arrays["gradient_histogram"] = weight.grad
            for name, array in arrays.items():
                finite = array[np.isfinite(array)]
                if finite.size:
                    writer.add_histogram(f"{weight.path}/{name}", finite, epoch)
            drawn = picture(weight.value) if self.write_images else None
            if drawn is not None:
                writer.add_image(f"{weight.path}/image", drawn, epoch, dataformats="HWC")


def _tensorboardx() -> Any:
    try:
        import tensorboardX
    except ImportError as error:
        raise ImportError('TensorBoard: expected tensorboardX to be installed; pip install "fastcnn[tensorboard]"'
                          ) from error
    return tensorboardX


def _add_graph(writer: Any, model: Any) -> None:
    """Write the graph of layers: a node for each call of one."""
    from tensorboardX.proto import event_pb2, graph_pb2

    graph, names = graph_pb2.GraphDef(), {}
    whole = model.layer_graph()
    for slot, name in zip(whole.inputs, model.input_names, strict=True):
        names[slot] = name
        graph.node.add(name=name, op="Input")
    for step in whole.steps:
        name = step.node.name if not step.use else f"{step.node.name}_{step.use}"
        graph.node.add(name=name, op=type(step.node).__name__, input=[names[slot] for slot in step.inputs])
        names |= dict.fromkeys(step.outputs, name)
    writer.file_writer.add_event(event_pb2.Event(graph_def=graph.SerializeToString()))
