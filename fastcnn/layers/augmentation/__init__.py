"""Layers that change pictures: in training at random, or to a size. Names, arguments and defaults are Keras's."""

from fastcnn.layers.augmentation.crop import RandomCrop
from fastcnn.layers.augmentation.geometric import (
    RandomFlip,
    RandomPerspective,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from fastcnn.layers.augmentation.resizing import CenterCrop, Resizing

__all__ = [
    "CenterCrop",
    "RandomCrop",
    "RandomFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
]
