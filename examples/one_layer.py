"""One convolution layer, step by step: naive loops, the same compiled, fastcnn's kernel, and a check of its gradients.

    python examples/one_layer.py

A text to read while it runs, about ten seconds. It ends with how far the gradients are from finite differences.
"""

import argparse
import inspect
import textwrap
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from fastcnn import layers
from fastcnn.kernels.cpu.gemm import tile
from fastcnn.kernels.cpu.simd.width import features

Array = NDArray[Any]


def convolve(x: Array, kernel: Array, bias: Array) -> Array:
    images, height, width, channels = x.shape
    rows, columns, _, filters = kernel.shape
    y = np.empty((images, height - rows + 1, width - columns + 1, filters), x.dtype)
    for n in range(images):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for k in range(filters):
                    total = bias[k]
                    for r in range(rows):
                        for s in range(columns):
                            for c in range(channels):
                                total += x[n, i + r, j + s, c] * kernel[r, s, c, k]
                    y[n, i, j, k] = total
    return y


def tell(text: str) -> None:
    """Print a paragraph, 88 columns wide."""
    print(textwrap.fill(" ".join(text.split()), 88), end="\n\n", flush=True)


def fastest(call: Callable[[], object], times: int) -> float:
    """Return the seconds of the fastest of some calls."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def speed(name: str, seconds: float, multiply_adds: int, before: float | None = None) -> float:
    """Print and return the GFLOP/s of a convolution, and how many times as fast as the step `before` it is."""
    reached = 2e-9 * multiply_adds / seconds
    times = "" if before is None else f", {reached / before:,.0f} times as fast"
    print(f"    {name:<28}{seconds * 1e3:>10.2f} ms{reached:>12.4g} GFLOP/s{times}\n", flush=True)
    return reached


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference, relative to the largest number."""
    return float(np.abs(a - b).max() / np.abs(b).max())


def slopes(loss: Callable[[], float], array: np.ndarray, places: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return by how much the loss rises with each place of a flat array: (loss(a + step) - loss(a - step)) / 2 step."""
    flat, result = array.reshape(-1), []
    for place in places:
        before = flat[place]
        flat[place] = before + step
        above = loss()
        flat[place] = before - step
        below = loss()
        flat[place] = before
        result.append((above - below) / (2 * step))
    return np.array(result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=64, help="in the batch of step 2 and 3 (default: %(default)s)")
    images = parser.parse_args().images
    draw = np.random.default_rng(0)
    x: Array  # float32 to be fast, and float64 to be checked at the end

    print("1. WHAT A CONVOLUTION IS\n")
    tell("""A layer looks at an image through small windows. Each of its filters says what it would like to see in a
         window; the output is how much of it there is, for each place and filter. As loops:""")
    print(textwrap.indent(inspect.getsource(convolve), "    "))
    x, kernel, bias = (draw.standard_normal(s, dtype=np.float32) for s in ((1, 28, 28, 3), (3, 3, 3, 8), (8,)))
    tell(f"""An image {x.shape[1:]} seen by 8 filters of 3x3 pixels and 3 colours takes 26 * 26 * 8 * 27 multiply-adds.
         Python, which looks up every number's type before it multiplies, needs:""")
    work = 26 * 26 * 8 * 27
    interpreted = speed("loops in Python", fastest(lambda: convolve(x, kernel, bias), 1), work)

    print("2. THE SAME LOOPS, COMPILED\n")
    tell("""Numba turns the same text into machine code: numba.njit(convolve). It is so much faster that the layer may
         grow to the second one of a network for MNIST: 13x13 pixels, 32 maps, 64 filters.""")
    compiled: Any = numba.njit(convolve)
    small = compiled(x, kernel, bias)
    print(f"    largest difference to Python's result, of the largest number: "
          f"{distance(small, convolve(x, kernel, bias)):.1e}\n")
    x, kernel, bias = (draw.standard_normal(s, dtype=np.float32) for s in ((images, 13, 13, 32), (3, 3, 32, 64), (64,)))
    work = images * 11 * 11 * 64 * 3 * 3 * 32
    expected = compiled(x, kernel, bias)
    loops = speed("compiled loops", fastest(lambda: compiled(x, kernel, bias), 1), work, interpreted)
    tell("""But a processor core can do far better: it multiplies and adds whole vectors, one or two in a cycle.
         These loops use one number of a vector, wait for each sum before they begin the next addition, and fetch both
         factors from memory for a single multiplication.""")

    print("3. THE KERNEL\n")
    name, width, _ = features()
    tell(f"""fastcnn's kernel holds a tile of the result in registers while it walks over the window: here {tile.M0}
         places by {2 * width // 4} filters ({name}, vectors of {width // 4} numbers). A step of it loads two vectors of
         filters, spreads one number of the image over a vector for each place, and does {2 * tile.M0} vector
         multiply-adds, none of which waits for another. Bands of rows go to all threads. See
         fastcnn/kernels/cpu/gemm/tile.py, where the picture is.""")
    layer = layers.Conv2D(64, 3)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    y = layer.predict(x)
    speed(f"Conv2D, {numba.get_num_threads()} threads", fastest(lambda: layer.predict(x), 20), work, loops)
    print(f"    largest difference to the loops' result, of the largest number: {distance(y, expected):.1e}\n")
    tell("""The sums are the same, added in another order; a float32 has 24 bits, so that a unit in its last place is
         6e-8.""")

    print("4. THE WAY BACK, CHECKED\n")
    tell("""To learn, a network needs to know how its loss changes with each filter and each pixel. layer.forward(x)
         returns the output and a function backward(dy): given how the loss changes with the output, it adds up the
         gradients of filters and bias, and returns that of the input. Whether they are right is easy to test, if
         slow: move one number a little up and down and see how the loss moves. In float64, so that the
         differences mean something, with a loss that is a random mixture of all outputs:""")
    layer = layers.Conv2D(5, 3, strides=2, padding="same", dtype="float64")
    x = draw.standard_normal((2, 8, 9, 4))
    y, backward = layer.forward(x)
    mixture = draw.standard_normal(y.shape)
    dx = backward(mixture)
    kernel, bias = layer.get_weights()

    def loss() -> float:
        layer.set_weights([kernel, bias])
        return float((layer.predict(x) * mixture).sum())

    dkernel, dbias = (parameter.grad for parameter in layer.trainable_weights)
    worst = 0.0
    for name, array, gradient in (("input", x, dx), ("kernel", kernel, dkernel), ("bias", bias, dbias)):
        places = draw.permutation(array.size)[:200]
        numeric = slopes(loss, array, places)
        error = distance(gradient.reshape(-1)[places], numeric)
        worst = max(worst, error)
        print(f"    {name:<8}{len(places):>4} of {array.size:>4} numbers moved    largest difference {error:.1e}")
    print(f"\nlargest error of a gradient {worst:.1e}")


if __name__ == "__main__":
    main()
