"""Published networks with the same numbers on all sides: fastcnn's applications, and for the others ONNX files of them.

A file is fastcnn's own export of the application, less what would cost others time (`channels_first`). A process of
its own writes it, so that no side has another's libraries, and it stays for the next run, until a file of the package
changes.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asv_benchmarks.comparison.sides import ROOT


class Published(NamedTuple):
    """A network.

    Attributes
    ----------
    application : str
        The function of `fastcnn.applications`.
    size : int
        Pixels of an image's side.
    given : dict
        The function's arguments.
    gain : float
        The variance of a filter's numbers, times the terms of a sum: 2 keeps what ReLU halves.
    """

    application: str
    size: int
    given: dict[str, Any]
    gain: float = 2.0


_IMAGENET: dict[str, Any] = {"weights": None}

NETWORKS = {
    "vgg16": Published("VGG16", 224, _IMAGENET),
    "resnet50": Published("ResNet50", 224, _IMAGENET),
    "mobilenet_v2": Published("MobileNetV2", 224, _IMAGENET),
    "inception_v3": Published("InceptionV3", 299, _IMAGENET),
    "densenet121": Published("DenseNet121", 224, _IMAGENET),
    "efficientnet_b0": Published("EfficientNetB0", 224, _IMAGENET, 3.25),  # swish and squeeze-excite halve more
    "unet": Published("UNet", 256, {"input_shape": (256, 256, 3), "classes": 2, "dropout": 0.0}),
}


def parted(of: str) -> tuple[str, int]:
    """Return name and batch of what is written as ``resnet50.b8``."""
    name, _, batch = of.rpartition(".b")
    return name, int(batch)


def images(name: str, batch: int) -> np.ndarray:
    """Return a batch of images (N, H, W, 3) for a network."""
    size = NETWORKS[name].size
    return np.random.default_rng(7).standard_normal((batch, size, size, 3), dtype=np.float32)


def built(name: str) -> Any:
    """Return a network of fastcnn's, whose parameters have numbers such that no layer's output fades or explodes."""
    from fastcnn import applications, layers

    network = NETWORKS[name]
    model = getattr(applications, network.application)(**network.given)
    owners = [layer for layer in model.layers if layer.weights]
    for number, layer in enumerate(owners):
        depthwise, gain = isinstance(layer, layers.DepthwiseConv2D), network.gain
        if layer is owners[-1]:
            gain = 0.01  # probabilities that are all but 1 and 0 would agree whatever came before
        layer.set_weights([_numbers(f"{number}/{p.name}", p.shape, depthwise, gain) for p in layer.weights])
    return model


def _numbers(name: str, shape: tuple[int, ...], depthwise: bool, gain: float) -> np.ndarray:
    """Return the numbers of a parameter of this name, which ends in what it is."""
    draw = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith(("gamma", "variance")):
        return draw.uniform(0.75, 1.0, shape).astype(np.float32)
    if not name.endswith("kernel"):
        return draw.uniform(-0.1, 0.1, shape).astype(np.float32)
    terms = int(np.prod(shape[:2] if depthwise else shape[:-1]))
    return draw.standard_normal(shape, dtype=np.float32) * np.float32((gain / terms) ** 0.5)


def file_of(name: str) -> Path:
    """Return the ONNX file of a network, images (N, 3, H, W), written where it is not there yet."""
    return written(f"{name}.onnx", "-m", __name__, name)


def written(file: str, *command: str) -> Path:
    """Return a file among the temporary ones that a process of Python writes, if it has not for this state of fastcnn.

    Parameters
    ----------
    file : str
    *command : str
        For Python; the path to write to comes last.
    """
    state = hashlib.sha256()
    for source in sorted((ROOT / "fastcnn").rglob("*.py")):
        state.update(source.read_bytes())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        state.update(source.read_bytes())
    folder = Path(tempfile.gettempdir())
    path = folder / f"fastcnn-peers-{state.hexdigest()[:12]}-{file}"
    if not path.exists():
        for older in folder.glob(f"fastcnn-peers-*-{file}"):
            older.unlink(missing_ok=True)
        aside = path.with_name(f"{os.getpid()}-{path.name}")
        subprocess.run([sys.executable, *command, str(aside)], check=True, cwd=ROOT)
        aside.replace(path)
    return path


def _write(name: str, path: str) -> None:
    import onnx

    import fastcnn as fc
    from asv_benchmarks.comparison.channels_first import channels_first

    fc.onnx.export(built(name), path)
    onnx.save(channels_first(onnx.load(path)), path)


if __name__ == "__main__":
    _write(*sys.argv[1:])
