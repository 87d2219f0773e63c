"""How the training images of a configuration are changed: presets by name, calls of layers, the pipeline of them."""

from typing import Any

from fastcnn.cli import _expressions

#: Calls of layers by the names of --augment; those of colours are for images that have them.
PRESETS: dict[str, tuple[str, ...]] = {
    "mirror": ("RandomFlip('horizontal')",),
    "crop": ("RandomFlip('horizontal')", "RandomTranslation(0.125, 0.125, 'reflect', 'nearest')"),
    "digits": ("RandomRotation(0.03, fill_mode='nearest')", "RandomZoom(0.1, fill_mode='nearest')",
               "RandomTranslation(0.1, 0.1, fill_mode='nearest')"),
    "strong": ("RandomFlip('horizontal')", "RandomRotation(0.03)", "RandomZoom(0.15)",
               "RandomTranslation(0.125, 0.125)", "RandomBrightness(0.2, value_range=(0, white))",
               "RandomContrast(0.2, value_range=(0, white))", "RandomHue(0.03, value_range=(0, white))",
               "RandomSaturation((0.4, 0.6), value_range=(0, white))",
               "RandomErasing((0, 1), scale=(0.02, 0.15), value_range=(0, white))"),
}  # fmt: skip
OFF = "off"

_OF_COLORS = ("RandomHue", "RandomSaturation")
_MIX = ("MixUp", "CutMix")


def settled(augment: str | list[str] | None, channels: int) -> list[str] | None:
    """Return the calls of what was asked for; None if nothing is changed.

    Parameters
    ----------
    augment : str, list of str or None
        A preset's name, "off", or calls.
    channels : int
        Of the images.
    """
    if augment is None or augment == OFF:
        return None
    calls = list(PRESETS[augment]) if isinstance(augment, str) else augment
    return [call for call in calls if channels == 3 or not (isinstance(augment, str) and call.startswith(_OF_COLORS))]


def mixes(calls: list[str] | None) -> bool:
    """Return whether images are mixed with others, and labels likewise."""
    return any(_expressions.read(call, "MixUp()").name in _MIX for call in calls or ())


def make_pipeline(calls: list[str] | None, shape: tuple[int, ...], standard: Any, scale: float, seed: int) -> Any:
    """Return the pipeline that changes and standardizes training images, or None.

    Parameters
    ----------
    calls : list of str or None
    shape : (H, W, C)
        Of an image.
    standard : Standard
    scale : float
        The images' largest value, which calls may name as ``white``.
    seed : int

    Raises
    ------
    CallError
        An unknown layer or argument; a layer that changes the size.
    """
    if calls is None:
        return None
    import numpy as np

    from fastcnn import layers
    from fastcnn.augmentation import Pipeline, Stage

    kinds = {name: one for name, one in vars(layers).items() if isinstance(one, type) and issubclass(one, Stage)}
    maker = _expressions.Maker(kinds, names={"white": scale})
    stages = [maker.make(_expressions.read(call, "RandomFlip()"), "augment") for call in calls]
    for call, stage in zip(calls, stages, strict=True):
        if stage.compute_output_shape((None, *shape)) != (None, *shape):
            raise _expressions.CallError(f"augment {call!r}: expected a layer that keeps the images' size, got "
                                         f"one that makes others of {shape}; --size brings pictures to one", call)
    return Pipeline(stages, seed, mean=np.multiply(standard.mean, scale), std=np.multiply(standard.std, scale))
