"""A photograph painted like another picture, by the gradient of its pixels (neural style transfer).

    python examples/style.py cat.png starry_night.jpg --weights squeezenet1.1.safetensors --out painted.png

Needs pillow, and a trained network: SqueezeNet 1.1 of the ONNX model zoo as .safetensors, or Keras's VGG-16
(``--network vgg16 --weights vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5``). What a network's layers see of the
photograph shall stay; which of its channels answer together (their Gram matrices) shall become as in the painting. The
last line tells to what share of its first value the cost fell.
"""

import argparse
from pathlib import Path

from fastcnn.vision import style


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("--network", default="squeezenet1.1", choices=("squeezenet1.1", "vgg16", "vgg19"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--size", type=int, default=255, help="pixels of the longer side")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("painted.png"))
    told = parser.parse_args()

    network = style.feature_network(told.network, told.weights)
    print(f"content by {', '.join(network.content_layers)}; style by {', '.join(network.style_layers)}")
    found = style.stylize(told.content, told.style, network, size=told.size, steps=told.steps)
    for step in sorted({1, told.steps // 10, told.steps // 3, told.steps} - {0}):
        print(f"step {step:4}   " + "   ".join(f"{name} {found.costs[step - 1][name]:.4f}"
                                               for name in ("cost", "content", "style", "variation")))
    found.save(told.out)
    print(f"{told.out}: the cost fell to {100 * found.share:.1f} % in {found.seconds:.1f} s")


if __name__ == "__main__":
    main()
