"""How often 8 bits name a photograph as float32 does: SqueezeNet 1.1, on crops that it was not calibrated with.

    python examples/quantize_photographs.py photos/*.png --weights squeezenet1.1.safetensors

Needs pillow, photographs, and SqueezeNet 1.1 of the ONNX model zoo as .safetensors. The crops are squares at random
places, of a quarter to the whole of the area of the largest one, as random as their seed says: the crops that are
judged come from seed 0, those that tell the ranges of numbers from seed 1. Two classes that are hardly apart in float32
change places in 8 bits, so the last line tells by how much the outputs err, too.

Each range of numbers is tried with and without channels made more alike; then the layers that cost most, by a table
over a few of the crops of seed 1, stay in float32.

References
----------
Nagel, van Baalen, Blankevoort, Welling: Data-free quantization through weight equalization and bias correction, 2019.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc

LEAST_AREA = 0.25  # of the largest square


def crops(paths: list[Path], each: int, seed: int, side: int) -> np.ndarray:
    """Return square crops (N, side, side, 3), as many of each photograph, as SqueezeNet takes them."""
    from PIL import Image

    found = []
    for number, path in enumerate(paths):
        picture, draw = Image.open(path).convert("RGB"), np.random.default_rng((seed, number))
        for _ in range(each):
            size = round(min(picture.size) * np.sqrt(draw.uniform(LEAST_AREA, 1)))
            left, top = (int(draw.integers(0, whole - size + 1)) for whole in picture.size)
            box = left, top, left + size, top + size
            found.append(np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR, box), np.float32))
    return np.asarray(fc.applications.preprocess_input(np.stack(found), "torch"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", nargs="+", type=Path)
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--each", type=int, default=75, help="crops of each photograph that are judged")
    parser.add_argument("--calibrate", type=int, default=40, help="crops of each that tell the ranges")
    parser.add_argument("--float32", type=int, nargs="*", default=[4, 12], help="how many layers stay in float32")
    parser.add_argument("--side", type=int, default=224)
    given = parser.parse_args()

    model = fc.applications.SqueezeNet(weights=given.weights, version="1.1", input_shape=(given.side, given.side, 3),
                                       classifier_activation=None)
    judged = crops(given.photographs, given.each, 0, given.side)
    seen = crops(given.photographs, given.calibrate, 1, given.side)
    logits = model.predict(judged)

    def tell(name: str, **told: Any) -> None:
        found = fc.quantize(model, seen, **told).predict(judged)
        same = np.mean(found.argmax(1) == logits.argmax(1))
        error = np.linalg.norm(found - logits) / np.linalg.norm(logits)
        print(f"{name:<36} first class equal {same:.3f}, outputs err by {error:.2%}", flush=True)

    for method in fc.quantization.METHODS:
        tell(method, method=method)
        tell(f"{method}, equalized", method=method, equalize=True)
    if given.float32:
        costs = fc.quantization.layer_losses(model, seen[::10], method="mse", equalize=True)
        for count in given.float32:
            keep = [one.name for one in costs[:count]]
            tell(f"mse, equalized, {count} of {len(costs)} in float32", method="mse", equalize=True, keep=keep)


if __name__ == "__main__":
    main()
