"""A model goes out as ONNX, runs elsewhere, comes back, and learns on.

    python examples/onnx_roundtrip.py

A small network learns the built-in digits for two epochs. Its ONNX file is run by onnxruntime where that is installed,
else by fastcnn's own backend of ONNX; then it is loaded again, as a model of layers, and trained further. It ends with
the largest difference of a probability between the model and its file, and with the accuracies before and after.

Needs onnx: pip install "fastcnn[onnx]".
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import fastcnn as fc
from fastcnn import layers


def network() -> fc.Model:
    """Return a network of digits (8, 8, 1), with a shortcut around one of its convolutions."""
    inputs = fc.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Add()([x, layers.Conv2D(16, 3, padding="same", activation="relu")(x)])
    x = layers.Flatten()(layers.MaxPooling2D(2)(x))
    return fc.Model(inputs, layers.Dense(10, activation="softmax")(x), name="digits")


def run_file(path: Path, x: np.ndarray) -> np.ndarray:
    """Return what an ONNX file of one input makes of images x, (N, H, W, C) as the model takes them."""
    try:
        import onnxruntime
    except ImportError:
        print("onnxruntime is not installed: fastcnn.onnx.backend runs the file")
        outputs = fc.onnx.backend.prepare(path).run([x])
    else:
        print(f"onnxruntime {onnxruntime.__version__} runs the file")
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        outputs = session.run(None, {session.get_inputs()[0].name: x})
    y: np.ndarray = outputs[0]
    return y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2, help="before the export (default: %(default)s)")
    parser.add_argument("--more", type=int, default=6, help="after the file was loaded (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="the file; by default one that is removed at the end")
    given = parser.parse_args()
    fc.utils.set_random_seed(7)
    data = fc.datasets.load("digits")
    x_train, x_test = (x / np.float32(data.scale) for x in (data.x_train, data.x_test))
    how = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}

    model = network()
    model.compile("adam", **how)
    model.fit(x_train, data.y_train, epochs=given.epochs)
    ours = model.predict(x_test)
    before = np.mean(ours.argmax(-1) == data.y_test)

    with tempfile.TemporaryDirectory() as folder:
        path = given.out or Path(folder) / "digits.onnx"
        fc.onnx.export(model, path)  # with layout="channels_first" for a program that has (N, C, H, W)
        print(f"{path.name}: {path.stat().st_size:,} bytes for {model.count_params():,} parameters")
        theirs = run_file(path, x_test)
        again = fc.onnx.load(path)

    again.summary()
    loaded = again.predict(x_test)
    print(f"largest difference of a probability: {np.abs(theirs - ours).max():.1e} in the file, "
          f"{np.abs(loaded - ours).max():.1e} loaded")
    again.compile("adam", **how)
    again.fit(x_train, data.y_train, epochs=given.more)
    after = np.mean(again.predict(x_test).argmax(-1) == data.y_test)
    print(f"test accuracy {before:.4f} when exported")
    print(f"test accuracy {after:.4f} after more training of the loaded model")


if __name__ == "__main__":
    main()
