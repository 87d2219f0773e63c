"""A network of embeddings from pictures of persons or characters: batches of classes, triplets, a threshold."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.datasets import IdentityImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive
from fastcnn.losses import Triplet
from fastcnn.models import Model, Sequential
from fastcnn.random import set_random_seed
from fastcnn.vision.identity.class_batches import ClassBatches
from fastcnn.vision.identity.embedding import in_one_size
from fastcnn.vision.identity.monitor import EmbeddingMonitor
from fastcnn.vision.identity.pairs import balanced_pairs
from fastcnn.vision.identity.recognizer import Recognizer
from fastcnn.vision.identity.verification import choose_threshold
from fastcnn.vision.recipe import Recipe, optimizer_for

_PAIRS = 4000  # on which the threshold is chosen
_SMALLEST = 16  # pixels, which four poolings leave something of


def siamese_recipe(train: IdentityImages, dev: IdentityImages | None = None, *, seed: int = 0,
                   size: tuple[int, int] | None = None, epochs: int = 15, batch_size: int = 128,
                   optimizer: Any = "adam", learning_rate: float = 2e-3, weight_decay: float | None = None,
                   augment: bool = True, begin: Recognizer | None = None, filters: int = 32, embedding_size: int = 128,
                   margin: float = 0.3, mining: str = "semi-hard", images_per_class: int = 4, turns: bool | None = None
                   ) -> Recipe:
    """Return the training of a network of embeddings, from nothing, by triplets of pictures.

    All pictures of a batch go through the same weights, which is what makes a network Siamese. Pictures are brought to
    one size, and turned a little, moved and zoomed anew in each epoch.

    Parameters
    ----------
    train : IdentityImages
    dev : IdentityImages, optional
        Others than those of `train`: their loss is told after each epoch, and the threshold is chosen on them. Without
        it the threshold is chosen on `train`, where it comes out too low for persons that were not learned.
    seed : int
        Of first weights, batches and changes.
    size : (int, int), optional
        Height and width that the network sees. Without it 28 x 28 for grey pictures, 64 x 64 for colour.
    epochs : int
        Each of as many batches as see every picture once on average.
    batch_size : int
        Pictures: `images_per_class` of each of some classes.
    optimizer : str or Optimizer
        One that was made has a rate and a weight decay of its own.
    learning_rate : float
        The highest.
    weight_decay : float or None
        Of kernels.
    augment : bool
        Whether pictures are changed.
    begin : Recognizer, optional
        Its network is trained on, in place of a new one: its size stays.
    filters : int
        Of the first of four convolutions; the others have twice, three and four times as many.
    embedding_size : int
        Numbers in an embedding.
    margin, mining : as of `fastcnn.losses.Triplet`
    images_per_class : int
        In a batch.
    turns : bool, optional
        Whether a picture that is turned by quarters, or mirrored, shows somebody else: eight times as many classes.
        Without it, for characters of alphabets alone.

    Returns
    -------
    Recipe
        Whose `finish` returns a `Recognizer`.

    Raises
    ------
    ArgumentError
        Numbers that cannot be.
    DataError
        Fewer than two persons, or nobody with two pictures.

    Examples
    --------
    >>> pictures = np.zeros((6, 20, 20, 1), "uint8")
    >>> people = fc.datasets.IdentityImages(pictures, [0, 0, 1, 1, 2, 2], ("ann", "bob", "eve"), tuple("abcdef"))
    >>> recipe = fc.vision.identity.siamese_recipe(people, epochs=1, batch_size=4, images_per_class=2)
    >>> recipe.model.output_shape, len(recipe.x)
    ((None, 128), 1)
    """
    for name, part in (("train", train), ("dev", dev)):
        if part is not None and not isinstance(part, IdentityImages):
            raise ArgumentError(f"siamese_recipe: expected IdentityImages as {name}, a part of a data set of persons, "
                                f"got {type(part).__name__}")
    epochs, batch_size, images_per_class = positive("siamese_recipe", epochs=epochs, batch_size=batch_size,
                                                    images_per_class=images_per_class)
    others = train if dev is None else dev
    pairs = balanced_pairs(others.labels, _PAIRS, seed)  # refuses what has none
    balanced_pairs(train.labels, 2, seed)
    set_random_seed(seed)
    channels = int(np.asarray(train.images[0]).shape[-1])
    if begin is not None:
        *size, channels = begin.model.input_shape[1:]
    height, width = size or ((28, 28) if channels == 1 else (64, 64))
    if min(height, width) < _SMALLEST:
        raise ArgumentError(f"siamese_recipe: expected a size of at least {_SMALLEST} x {_SMALLEST}, got {height} x "
                            f"{width}")
    x = in_one_size(train.images, (height, width, channels), "siamese_recipe")
    model = network(x, filters, embedding_size) if begin is None else begin.model
    model.compile(optimizer_for(optimizer, learning_rate, weight_decay), Triplet(margin, mining))
    labels = train.labels
    if turns or (turns is None and train.group_names):
        x, labels = turned(x, labels)
    batches = _batches(x, labels, batch_size, images_per_class, seed)
    seen = None if dev is None else in_one_size(dev.images, x.shape[1:], "siamese_recipe")

    def finish() -> Recognizer:
        made = Recognizer(model, 0.0, shifts=1)
        embeddings = made.embed(others.images)
        distances = ((embeddings[pairs.first] - embeddings[pairs.second]) ** 2).sum(1)
        return Recognizer(model, max(0.0, choose_threshold(distances, pairs.same)), shifts=1)

    told = f"{len(train.names)} classes" + (f", {len(set(labels.tolist()))} with turns" if len(x) > len(train) else "")
    chosen = f"the threshold is chosen on pairs of {len(others.names)} classes that are " + (
        "learned too: name others as dev" if dev is None else "not learned")
    return Recipe(model, batches, finish, epochs=epochs, augmentation=changes(seed) if augment else None,
                  validation_data=None if dev is None or seen is None else _batches(
                      seen, dev.labels, batch_size, images_per_class, seed, anew=False),
                  notes=(told, chosen), callbacks=(EmbeddingMonitor(),))


def network(x: np.ndarray, filters: int, embedding_size: int) -> Model:
    """Return a network from pictures, 0 to 255, to embeddings of length 1: four convolutions and a dense layer.

    Parameters
    ----------
    x : (N, H, W, C) uint8 array
        That it will learn from. The median of what is on their borders is its 0, so that what a convolution sees
        outside of a picture is like its ground.
    filters, embedding_size : int
    """
    border = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], 1)
    ground, spread = float(np.median(border)), max(1.0, float(x.std()))
    parts: list[Any] = [layers.Input(x.shape[1:]), layers.Rescaling(1 / spread, -ground / spread)]
    for times in (1, 2, 3, 4):
        parts += [layers.Conv2D(times * filters, 3, padding="same", use_bias=False), layers.BatchNormalization(),
                  layers.ReLU(), layers.MaxPooling2D(2)]
    return Sequential([*parts, layers.Flatten(), layers.Dense(embedding_size), layers.UnitNormalization()],
                      name="siamese")


def changes(seed: int) -> Pipeline:
    """Return what pictures go through on their way into a batch.

    Parameters
    ----------
    seed : int
    """
    return Pipeline([layers.RandomRotation(0.05, fill_mode="nearest"),
                     layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
                     layers.RandomZoom(0.15, 0.15, fill_mode="nearest")], seed=seed)


def turned(x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures turned by no, one, two and three quarters, and so again mirrored, with labels of their own.

    Parameters
    ----------
    x : (N, H, H, C) array
    labels : (N,) array of int
    """
    if x.shape[1] != x.shape[2]:
        raise ArgumentError(f"siamese_recipe: expected pictures as high as wide where turns are classes of their own, "
                            f"got {x.shape[1]} x {x.shape[2]}; give turns=False")
    count = int(labels.max()) + 1
    both = x, x[:, :, ::-1]
    return (np.concatenate([np.rot90(one, k, (1, 2)) for one in both for k in range(4)]),
            np.concatenate([labels + k * count for k in range(8)]))


def _batches(x: np.ndarray, labels: np.ndarray, size: int, each: int, seed: int, anew: bool = True) -> ClassBatches:
    classes = min(len(np.unique(labels)), max(2, size // each))
    if classes < 2 or each < 2:
        raise DataError(f"siamese_recipe: expected at least two classes and two images of each in a batch, got "
                        f"{classes} and {each}")
    return ClassBatches(x, labels, classes, each, seed=seed, anew=anew)
