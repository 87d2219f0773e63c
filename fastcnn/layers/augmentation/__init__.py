"""Layers that change pictures: in training at random, or to a size. Names, arguments and defaults are Keras's."""

from fastcnn.layers.augmentation.blur import RandomElasticTransform, RandomGaussianBlur
from fastcnn.layers.augmentation.color import (
    RandomBrightness,
    RandomContrast,
    RandomGrayscale,
    RandomPCAColor,
    RandomRGBShift,
)
from fastcnn.layers.augmentation.crop import RandomCrop
from fastcnn.layers.augmentation.erasing import RandomErasing, RandomNoise
from fastcnn.layers.augmentation.geometric import (
    RandomFlip,
    RandomPerspective,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from fastcnn.layers.augmentation.hue_saturation import RandomColorJitter, RandomHue, RandomSaturation
from fastcnn.layers.augmentation.mixing import CutMix, MixUp
from fastcnn.layers.augmentation.rand_augment import RandAugment
from fastcnn.layers.augmentation.resizing import CenterCrop, Resizing

__all__ = [
    "CenterCrop",
    "CutMix",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomNoise",
    "RandomPCAColor",
    "RandomPerspective",
    "RandomRGBShift",
    "RandomRotation",
    "RandomSaturation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
]
