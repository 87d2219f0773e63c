"""Faces are found in photographs and cut out; and strangers are told from known ones, by one picture of each.

    FASTCNN_DATA=../shared/data python examples/faces.py                  needs pillow and onnx

A detector that others have trained (UltraFace, from an ONNX file) gives boxes and scores; those that lie over one
another are suppressed, and what is left is cut out, 96 x 96, as FaceNet takes it. Whose faces they are nobody says
here: a set of faces with names and a free licence is not at hand. Who is who is therefore shown with drawn characters
(Omniglot): a network of embeddings learns those of some alphabets, one drawing of each of fifteen characters of an
alphabet that it has never seen is enrolled, and another person's drawings of these and of five more are named, or "not
recognized". With a file of FaceNet's weights (--weights) the cut faces are compared too. The last lines are the number
of faces, the share of right answers, and the path of the picture.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn.datasets.rgb import read_rgb, write_picture
from fastcnn.geometry.letterbox import Letterbox
from fastcnn.vision import boxes, detection, identity

SIDE = 96  # pixels of a face


def faces_in(picture: np.ndarray, detector: fc.Model, threshold: float) -> detection.Detections:
    """Return the faces in a photograph (H, W, 3)."""
    height, width = picture.shape[:2]
    rows, columns = detector.input_shape[1:3]
    place = Letterbox((height, width), (rows, columns))  # in the middle, its shape kept
    x = np.zeros((1, rows, columns, 3), np.float32)
    small = np.asarray(fc.ops.image.resize(picture[None].astype(np.float32), place.new_size, antialias=True))
    x[:, place.top : place.top + place.new_size[0], place.left : place.left + place.new_size[1]] = (small - 127) / 128
    scores, corners = (one[0] for one in detector.predict(x, verbose=0))  # shares of width and height
    some = scores[:, 1] > threshold
    pixels = corners[some] * np.array([columns, rows, columns, rows], np.float32)
    found = boxes.clip(place.invert(pixels), (height, width))
    best = boxes.nms(found, scores[some, 1], iou_threshold=0.3)
    return detection.Detections(found[best], scores[some, 1][best], np.zeros(len(best), np.int64), ("face",))


def cut(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the square around a box, (SIDE, SIDE, 3)."""
    x1, y1, x2, y2 = box.tolist()
    half = max(1.0, max(x2 - x1, y2 - y1) / 2)
    left, top = max(0, round((x1 + x2) / 2 - half)), max(0, round((y1 + y2) / 2 - half))
    square = picture[top : top + round(2 * half), left : left + round(2 * half)].astype(np.float32)
    small = np.asarray(fc.ops.image.resize(square[None], (SIDE, SIDE), antialias=True))[0]
    return np.asarray(np.clip(small + 0.5, 0, 255), np.uint8)


def strangers(data: Any, told: argparse.Namespace) -> tuple[identity.Gallery, np.ndarray, list[str]]:
    """Return a gallery of characters that the network has not seen, and drawings by somebody else with their names."""
    if told.recognizer:
        recognizer = identity.Recognizer.load(told.recognizer)
    else:
        learned = data.train.of(data.train.names[: told.characters])
        recipe = identity.siamese_recipe(*learned.held_out(5), seed=told.seed, filters=told.filters)
        recipe.fit(told.epochs, verbose=2)
        recognizer = recipe.finish()
    part = data.test.of(data.test.names[:20])
    known, new = ([int(np.flatnonzero((part.labels == k) & (part.drawers == who))[0]) for k in range(20)]
                  for who in (1, 2))
    gallery = identity.Gallery(recognizer)
    # The last five stay strangers.
    gallery.enroll({part.names[part.labels[row]].rpartition("/")[2]: part.images[row] for row in known[:15]})
    names = [part.names[part.labels[row]].rpartition("/")[2] for row in new]
    return gallery, part.images[new], names[:15] + [identity.NOT_RECOGNIZED] * 5


def stacked(parts: list[np.ndarray]) -> np.ndarray:
    """Return pictures one under the other, on white."""
    width = max(one.shape[1] for one in parts)
    return np.concatenate([np.pad(one, ((0, 8), (0, width - one.shape[1]), (0, 0)), constant_values=255)
                           for one in parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, help="photographs; without any, those of the style set")
    parser.add_argument("--detector", type=Path, help="UltraFace; without it, the file in the folder of FASTCNN_DATA")
    parser.add_argument("--threshold", type=float, default=0.7, help="the least score of a face")
    parser.add_argument("--weights", type=Path, help="of FaceNet, nn4.small2: compare the faces that are found")
    parser.add_argument("--recognizer", type=Path, help="of characters, as one_shot_letters.py --save writes it")
    parser.add_argument("--epochs", type=int, default=3, help="of the network of characters")
    parser.add_argument("--characters", type=int, help="learn so many")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("faces.png"))
    told = parser.parse_args()
    folder = Path(os.environ.get("FASTCNN_DATA", "."))
    photos = told.photos or sorted((folder / "style-photos").glob("*.png"))
    detector: Any = fc.onnx.load(told.detector or folder / "real-models" / "onnx" / "ultraface_rfb_320.onnx")

    drawn, faces = [], []
    for path in photos:
        picture = read_rgb(path)
        found = faces_in(picture, detector, told.threshold)
        print(f"{path.name}: {len(found)} faces{''.join(f', {score:.3f}' for score in found.scores.tolist())}")
        if len(found):
            drawn.append(found.draw(picture, line=3))
            faces += [cut(picture, box) for box in found.boxes]
    if faces:
        drawn.append(np.concatenate(faces, axis=1))
    if told.weights and len(faces) > 1:
        network = fc.applications.FaceNet(weights=told.weights)
        embeddings = network.predict(np.stack(faces) / np.float32(255), verbose=0)
        print(f"squared distances of the faces:\n{identity.squared_distances(embeddings, embeddings).round(2)}")

    gallery, drawings, names = strangers(fc.datasets.load("omniglot"), told)
    answers = [one.name for one in gallery.identify(drawings)]
    write_picture(told.out, stacked([*drawn, gallery.draw(drawings)]))
    print(f"{len(faces)} faces in {len(photos)} photographs")
    share = np.mean([a == b for a, b in zip(answers, names, strict=True)])
    print(f"{share:.2f} of 20 drawings have their right name, or are strangers and not recognized")
    print(told.out)


if __name__ == "__main__":
    main()
