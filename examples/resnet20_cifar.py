"""ResNet-20 learns CIFAR-10: the network of He et al. (2016), their augmentation, and a learning rate that falls.

    python examples/resnet20_cifar.py --epochs 30

Images are standardized; each epoch sees them shifted by up to four pixels and mirrored at random. Weight decay stands
beside the gradient: 5e-4 that papers add to the gradient acts ten times over with a momentum of 0.9, and is 5e-3 here.
The data is read from the folder that the environment variable FASTCNN_DATA names (CIFAR-10's binary version, or 20,000
of its training images in train_20k.bin.xz with test_10k.bin.xz), or downloaded once (170 MB). Each epoch's line tells
the accuracy on the test images; the last line tells it again.

References
----------
He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, section 4.2.
"""

import argparse
import sys
import time

import numpy as np

import fastcnn as fc
from fastcnn import applications, optimizers
from fastcnn.errors import DataError

SHIFT = 4  # pixels


def augmented(x: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return images (N, H, W, C) shifted and mirrored at random; what comes in from outside is 0, the mean."""
    height, width = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    down, right = draw.integers(0, 2 * SHIFT + 1, (2, len(x)))
    out = np.empty_like(x)
    for i, (top, left) in enumerate(zip(down, right)):
        out[i] = padded[i, top:top + height, left:left + width]
    mirrored = draw.random(len(x)) < 0.5
    out[mirrored] = out[mirrored, :, ::-1]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, help="train on so many images (default: all)")
    parser.add_argument("--test-images", type=int, help="test on so many (default: all)")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    fc.utils.set_random_seed(given.seed)

    try:
        (x_train, y_train), (x_test, y_test) = fc.datasets.cifar10.load_data()
    except DataError as error:
        sys.exit(f"resnet20_cifar.py: {error}")
    x_train, y_train = x_train[:given.images], y_train[:given.images]
    x_test, y_test = x_test[:given.test_images], y_test[:given.test_images]
    mean, deviation = x_train.mean((0, 1, 2), dtype=np.float64), x_train.std((0, 1, 2), dtype=np.float64)
    x_train, x_test = (((x - mean) / deviation).astype("float32") for x in (x_train, x_test))
    print(f"{len(x_train):,} images to train on, {len(x_test):,} to test")

    model = applications.ResNet20()
    print(f"{model.name}: {model.count_params():,} parameters, {model.multiply_adds() / 1e6:.1f} million multiply-adds")
    steps = -(-len(x_train) // given.batch_size) * given.epochs
    rate = optimizers.schedules.CosineDecay(0.01, steps, warmup_target=0.1, warmup_steps=steps // 10)
    model.compile(optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-3),
                  loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    draw = np.random.default_rng(given.seed)
    seconds = []
    for epoch in range(given.epochs):  # one at a time, each on images drawn anew
        begin = time.perf_counter()
        x = augmented(x_train, draw)
        history = model.fit(x, y_train, batch_size=given.batch_size, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
        seconds.append(time.perf_counter() - begin)
        accuracy = model.evaluate(x_test, y_test, batch_size=250, return_dict=True)["accuracy"]
        print(f"epoch {epoch + 1:>2} of {given.epochs}: {seconds[-1]:.1f} s, loss {history.history['loss'][0]:.4f}, "
              f"accuracy {history.history['accuracy'][0]:.4f}, test accuracy {accuracy:.4f}", flush=True)
    print(f"{np.median(seconds):.1f} seconds an epoch")
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
