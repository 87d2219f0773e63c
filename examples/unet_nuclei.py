"""A U-Net finds the nuclei of cells in a microscope's images, each with its own pixels, from nothing.

    FASTCNN_DATA=../shared/data python examples/unet_nuclei.py            needs pillow, scipy and scikit-image
    FASTCNN_DATA=../shared/data python examples/unet_nuclei.py --epochs 5 --dev

The images are 334 of the 2018 Data Science Bowl (BBBC038, CC0), 256 x 256, with a map of nuclei each. The network
learns of each pixel how much it is background, the middle of a nucleus, or its rim, by a softmax with cross-entropy:
the middle is the distance to the border over the largest one in the nucleus, so that nuclei which touch are two peaks.
From the peaks a watershed shares out what is not background. Squares of 128 pixels are cut anew in each epoch, mirrored
and coloured. All choices were made on a fifth of the training images (--dev); the test images are looked at once, at
the end.

The last lines are Dice's coefficient of the pixels, the average precision TP / (TP + FP + FN) of nuclei at an
intersection over union of 0.5 and of 0.7, the panoptic quality, and the path of a picture: images, what was found, and
what people marked.

References
----------
Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn.vision import segmentation

SHOWN = 4  # images of the picture


def bright(image: np.ndarray) -> np.ndarray:
    """Return an image whose darkest and brightest pixels are black and white."""
    low, high = np.percentile(image, (1, 99.8))
    shown: np.ndarray = (255 * np.clip((image - low) / max(high - low, 3), 0, 1)).astype(np.uint8)
    return shown


def picture(part: Any, found: list[segmentation.Segmentation]) -> np.ndarray:
    """Return images side by side, below them what was found, and below that what people marked."""
    columns = []
    for image, mask, one in zip(part.images, part.masks, found, strict=True):
        shown = bright(image)
        truth = segmentation.Segmentation((mask > 0).astype(np.int32), one.probabilities, mask, one.names)
        columns.append(np.concatenate([np.repeat(shown, 3, -1), one.draw(shown), truth.draw(shown)]))
    whole: np.ndarray = np.concatenate(columns, axis=1).repeat(2, 0).repeat(2, 1)
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="nuclei-dsb2018", help="a data set by name, or a folder of images and masks")
    parser.add_argument("--epochs", type=int, default=36)
    parser.add_argument("--minutes", type=float, help="train so long, in place of a number of epochs")
    parser.add_argument("--images", type=int, help="train on so many images (default: all)")
    parser.add_argument("--test-images", type=int, help="test on so many images (default: all)")
    parser.add_argument("--filters", type=int, nargs="+", default=(16, 32, 64, 96), help="of each level")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dev", action="store_true", help="judge on a fifth of the training images, not on the test")
    parser.add_argument("--no-flips", dest="flips", action="store_false",
                        help="predict no mirror images: in a quarter of the time")
    parser.add_argument("--save", type=Path, help="write the segmenter to a file")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    parser.add_argument("--out", type=Path, default=Path("unet_nuclei.png"))
    told = parser.parse_args()
    data: Any = fc.datasets.load(told.data)
    train, test = data.train, data.test
    if told.dev:
        rows = np.arange(len(train))
        train, test = train.take(rows[rows % 5 != 4]), train.take(rows[rows % 5 == 4])
    train, test = train.take(range(told.images or len(train))), test.take(range(told.test_images or len(test)))

    recipe = segmentation.unet_recipe(train, seed=told.seed, filters=told.filters, learning_rate=told.rate,
                                      classes=("nucleus",), flips=told.flips)
    print(f"{len(train)} images to train on, {len(test)} to test; {recipe.model.count_params():,} parameters, a pixel "
          f"sees {segmentation.reach(recipe.model)} pixels to each side")
    began, used = time.monotonic(), time.process_time()
    recipe.fit(None if told.minutes else told.epochs, minutes=told.minutes, verbose=2)
    seconds, used = time.monotonic() - began, time.process_time() - used
    segmenter = recipe.finish()
    if told.save:
        segmenter.save(told.save)

    began = time.monotonic()
    found = segmenter.evaluate(test)
    print(f"trained in {seconds:.0f} s ({used:.0f} s of CPU); {len(test)} images marked and judged in "
          f"{time.monotonic() - began:.1f} s")
    some = test.take(np.linspace(0, len(test) - 1, min(SHOWN, len(test))).astype(int))
    fc.utils.save_img(told.out, picture(some, segmenter.segment(list(some.images))))
    if told.json:
        told.json.write_text(json.dumps({"seed": told.seed, "cpu_seconds": used, **found}, indent=1) + "\n")
    print(f"Dice {found['Dice']:.4f}, intersection over union {found['IoU']:.4f}, panoptic quality {found['PQ']:.4f}")
    print(f"average precision {found['AP50']:.4f} at 0.5, {found['AP70']:.4f} at 0.7 on {len(test)} images")
    print(told.out)


if __name__ == "__main__":
    main()
