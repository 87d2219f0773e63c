"""A photograph painted in one pass, by a network that was trained to paint in one style (fast style transfer).

    python examples/style_fast.py cat.png --weights scream.safetensors --out screaming.png

Needs pillow, and the weights of a style network: a published .safetensors file of 48 arrays. Where `style.py` looks for
each picture's pixels in hundreds of steps, this network has learned once what they come to. The last line tells how
long a picture takes, and how many multiply-adds.
"""

import argparse
import time
from pathlib import Path

from fastcnn.datasets.rgb import read_rgb, write_picture
from fastcnn.vision import style


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--size", type=int, help="pixels of the longer side; the picture's own without it")
    parser.add_argument("--out", type=Path, default=Path("painted.png"))
    told = parser.parse_args()

    picture = read_rgb(told.picture)
    network = style.StyleNet(weights=told.weights)
    painted = style.paint(picture, network, told.size)  # the first pass compiles kernels
    began = time.perf_counter()
    painted = style.paint(picture, network, told.size)
    seconds = time.perf_counter() - began
    write_picture(told.out, painted)
    height, width = painted.shape[:2]
    products = network.for_shape((None, height + -height % 4, width + -width % 4, 3)).multiply_adds()
    print(f"{told.out}: {width} x {height} in {seconds:.2f} s, {products / 1e9:.1f} G multiply-adds")


if __name__ == "__main__":
    main()
