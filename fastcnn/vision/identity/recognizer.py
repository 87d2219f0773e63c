"""A trained network of embeddings with the threshold that tells one person from two."""

import os
from typing import Any

import numpy as np

from fastcnn import saving
from fastcnn.datasets import AnnotatedDataset, IdentityImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import integer, number, positive
from fastcnn.metrics import RecallAtK, Verification
from fastcnn.models import Model
from fastcnn.vision.identity.drawing import draw_embeddings
from fastcnn.vision.identity.embedding import embedded, in_one_size, named_right, require_embeddings
from fastcnn.vision.identity.pairs import balanced_pairs
from fastcnn.vision.identity.trials import one_shot_trials
from fastcnn.vision.settings_in_files import settings_in

_KEY = "recognizer"  # of what a file tells of it
_NEIGHBOURS = ((1, 0), (-1, 0), (0, 1), (0, -1))


class Recognizer:
    """A network and its threshold: from pictures of any size to embeddings, and to who is who.

    A picture that has another size than the network's is made smaller or larger; of one that is wider or higher, the
    middle is taken.

    Parameters
    ----------
    model : Model
        From pictures (N, H, W, C), 0 to 255, to embeddings (N, K).
    threshold : float
        The largest squared distance of two pictures of one person.
    shifts : int
        Pixels by which the network's picture is moved in the four directions: an embedding is the mean of the five,
        brought to length 1. 0: of the picture as it is.

    Raises
    ------
    ArgumentError
        If the model gives no embeddings of pictures.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2, 2, 1)), layers.Rescaling(1 / 255), layers.Flatten()])
    >>> recognizer = fc.vision.identity.Recognizer(model, threshold=1.0)
    >>> same, distances = recognizer.verify(np.zeros((9, 9, 1), "uint8"), np.full((5, 7, 1), 255, "uint8"))
    >>> same.tolist(), distances.tolist()
    ([False], [4.0])
    """

    def __init__(self, model: Model, threshold: float, *, shifts: int = 0) -> None:
        require_embeddings(model, "Recognizer")
        shape = model.input_shape
        if isinstance(shape, list) or len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3):
            raise ArgumentError(f"Recognizer: expected a model of pictures (N, H, W, C) of one size, grey or RGB, got "
                                f"{shape}")
        self.model = model
        self.threshold = number(threshold, "Recognizer", "a threshold of at least 0", lambda n: n >= 0)
        self.shifts = integer(shifts, "Recognizer", "shifts")
        if not 0 <= self.shifts < min(shape[1:3]):
            raise ArgumentError(f"Recognizer: expected shifts from 0 to less than the picture, got {shifts}")

    def embed(self, pictures: Any) -> np.ndarray:
        """Return the embeddings of pictures, (N, K) float64.

        Parameters
        ----------
        pictures : (N, H, W, C) or (H, W, C) uint8 array, path, or sequence of arrays (H, W, C) and paths

        Raises
        ------
        DataError
            A file that is no picture, embeddings that are not finite.
        """
        x = in_one_size(pictures, self.model.input_shape[1:], "Recognizer")
        if not len(x):
            return np.zeros((0, self.model.output_shape[-1]))
        found = embedded(self.model, x)
        if not self.shifts:
            return found
        for down, right in _NEIGHBOURS:
            found += embedded(self.model, _moved(x, down * self.shifts, right * self.shifts))
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)

    def verify(self, a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return whether pictures show the same person, pair by pair, and their squared distances.

        Parameters
        ----------
        a, b : as `embed` takes them

        Returns
        -------
        same : (N,) array of bool
        distances : (N,) array
        """
        first, second = self.embed(a), self.embed(b)
        if len(first) != len(second):
            raise ArgumentError(f"Recognizer.verify: expected as many pictures in a as in b, got {len(first)} and "
                                f"{len(second)}")
        distances = ((first - second) ** 2).sum(1)
        return distances <= self.threshold, distances

    def evaluate(self, data: Any, pairs: int = 4000, seed: int = 0) -> dict[str, float]:
        """Return figures of persons or characters that the network has not learned.

        ===================================  ==========================================================================
        ``verification_accuracy``            share of right answers on balanced pairs, at the threshold
        ``verification_accuracy_in_groups``  the same where both of a pair are of one alphabet, if there are several
        ``equal_error_rate`` ``area``        of the first pairs, whatever the threshold; see `metrics.Verification`
        ``recall``                           share of pictures whose nearest other one is of their person
        ``one_shot_accuracy``                of the runs of a data set, or of 20 that are drawn among 20 of the persons:
                                             the mean; ``one_shot_worst``: of one
        ===================================  ==========================================================================

        Parameters
        ----------
        data : AnnotatedDataset or IdentityImages
            Of a data set its test part, and its runs.
        pairs : int
        seed : int
            Of the pairs.

        Raises
        ------
        DataError
            If it has no persons, or not two of them.
        """
        part = data.test if isinstance(data, AnnotatedDataset) else data
        if not isinstance(part, IdentityImages):
            raise DataError(f"Recognizer.evaluate: expected persons or characters, got {type(data).__name__}"
                            f"{f' of {data.task}' if isinstance(data, AnnotatedDataset) else ''}")
        positive("Recognizer.evaluate", pairs=pairs)
        embeddings = self.embed(part.images)
        results = self._verified(embeddings, part.labels, pairs, seed)
        found = {"verification_accuracy": results["accuracy"], "equal_error_rate": results["equal_error_rate"],
                 "area": results["area"]}
        assert part.groups is not None
        if len(set(part.groups.tolist())) > 1:
            within = self._verified(embeddings, part.labels, pairs, seed, part.groups[part.labels])
            found["verification_accuracy_in_groups"] = within["accuracy"]
        recall = RecallAtK()
        recall.update_state(part.labels, embeddings)
        found["recall"] = recall.result()
        if isinstance(data, AnnotatedDataset) and data.runs:
            shares = [named_right(self.embed(run.queries), self.embed(run.examples), run.answers) for run in data.runs]
        else:
            shares = [named_right(embeddings[one.queries], embeddings[one.examples], np.arange(len(one.queries)))
                      for one in one_shot_trials(part.labels, seed=seed)]
        if shares:
            found |= {"one_shot_accuracy": float(np.mean(shares)), "one_shot_worst": float(np.min(shares))}
        return found

    def draw(self, part: IdentityImages, path: str | os.PathLike[str], most: int = 500) -> None:
        """Draw where the pictures of some persons lie, and write it: see `draw_embeddings`.

        Parameters
        ----------
        part : IdentityImages
        path : path
        most : int
            Pictures: of more, every second, third ...
        """
        rows = np.arange(0, len(part), max(1, -(-len(part) // most)))
        some = part.take(rows)
        draw_embeddings(self.embed(some.images), some.labels, path, names=some.names)

    def save(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the network with its threshold into one file.

        Parameters
        ----------
        path : path
            With the ending ``.safetensors`` or another that `fastcnn.saving.save_model` knows.
        overwrite : bool
        """
        told = {"threshold": self.threshold, "shifts": self.shifts}
        saving.save_model(self.model, path, metadata={_KEY: told}, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Recognizer":
        """Return a recognizer that `save` wrote.

        Parameters
        ----------
        path : path

        Raises
        ------
        DataError
            If the file is a model alone.
        """
        told = settings_in(path, _KEY, cls, "siamese_recipe trains one, on the command line train --model siamese")
        return cls(saving.load_model(path, compile=False), **told)

    def _verified(self, embeddings: np.ndarray, labels: np.ndarray, count: int, seed: int, groups: Any = None
                  ) -> dict[str, float]:
        pairs = balanced_pairs(labels, count, seed, groups)
        metric = Verification(threshold=self.threshold)
        metric.update_state(pairs.same, ((embeddings[pairs.first] - embeddings[pairs.second]) ** 2).sum(1))
        return metric.results()

    def __repr__(self) -> str:
        return f"Recognizer({self.model}, threshold={self.threshold:.4g})"


def _moved(x: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return pictures (N, H, W, C) moved by some pixels; what comes in is a copy of the border."""
    height, width = x.shape[1:3]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return np.ascontiguousarray(x[:, rows][:, :, columns])
