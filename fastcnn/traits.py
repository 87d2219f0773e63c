"""What layers, functions and nodes promise about themselves, so that a rule of fusion need not know their classes.

A class declares its traits in its body::

    class Conv2D(Convolution):
        traits = Trait.PRODUCT | Trait.CONV2D | Trait.TAKES_RESIDUAL | Trait.TAKES_BORDER

Each is a promise about what `forward` and `predict` compute, and about the attributes that tell the rest. A class that
derives from another keeps what that one promised only if it changes nothing that the promise may rest on: it overrides
no method, property or attribute but the constructor and the configuration. Else it promises nothing, unless it declares
traits of its own.
"""

import enum
from typing import Any


class Trait(enum.Flag):
    """A promise; `Trait(0)` is none.

    Attributes
    ----------
    PRODUCT
        y = activation(linear(x) + bias): `kernel`, `bias` (or None), `activation` (or None), and `over_kernel`, which
        turns a number for each output into what multiplies the kernel.
    CONV2D
        A product that is a convolution: `filters`, `kernel_size`, `strides`, `padding`, `dilation_rate`, `groups`.
    DEPTHWISE2D
        A product that is a depthwise convolution: as CONV2D, and `depth_multiplier`.
    TAKES_RESIDUAL
        A product whose kernels add a tensor of the output's shape before the activation.
    TAKES_BORDER
        `padding` may be any ((top, bottom), (left, right)), and `input_shape` goes with it.
    POINTWISE
        y = `function`(x), or x where that is None.
    BATCH_NORM
        A normalization by the statistics of the batch.
    CHANNEL_AFFINE
        In prediction y = scale x + offset for each channel, which `channel_affine` returns; unless `is_by_channel` is
        there and false.
    SUM
        The sum of its inputs.
    MULTIPLICATION
        The product of its inputs, element by element.
    AFFINE_RELU
        In prediction y = max(scale x + offset, 0) for each channel, where `layer.channel_affine` returns both.
    TAKES_RELU
        Its verbs take ``relu=True`` and return max(y, 0) then.
    NORMALIZED_PRODUCT
        In training, y = `rectifier`(normalized(linear(x))): ``with_sum(rectifier)`` returns what adds a tensor of the
        output's shape before the rectifier, ``with_pooling(layer)`` what pools after it, in the same passes.
    NOT_NEGATIVE
        No result is below 0.
    IDLE
        In prediction y = x.
    ZERO_BORDER2D
        Zeros around an image, as many as `border` says.
    MAX_POOL2D, AVERAGE_POOL2D
        A pooling: `pool_size`, `padding`, `dilation_rate`, `ceil_mode`, and `whole`, true where windows lie side by
        side and within the image; `passes_of` gives what is pooled for an input of a shape.
    GLOBAL_MAX_POOL2D, GLOBAL_AVERAGE_POOL2D
        A pooling of whole images: `passes_of`.
    BY_CODE
        A function of one number, which kernels know as `code`, `alpha`, `beta`.
    SOFTMAX
        A softmax over `axes`, or with `log` its logarithm.
    COMPOSED
        Functions one after the other.
    RESHAPING
        The same numbers in another shape.
    CONCATENATION
        The inputs side by side along `axis`.
    QUANTIZATION
        The numbers that bytes stand for, as `quantization` says, in the place of x.
    QUANTIZED_PRODUCT
        y = activation(linear(x) + bias) with weights of 8 bits: `integers` times `scale`, `bias` (or None),
        `activation` (or None), and `units` where `integers` has two dimensions, else `geometry`.
    CALLS_KERNELS
        Its two ways do nothing but call kernels, as told by its attributes, by its functions and by the `Call`, so that
        steps of a training may be replayed. They set no attribute; a step after which one is another is not replayed.
    """

    PRODUCT = enum.auto()
    CONV2D = enum.auto()
    DEPTHWISE2D = enum.auto()
    TAKES_RESIDUAL = enum.auto()
    TAKES_BORDER = enum.auto()
    POINTWISE = enum.auto()
    BATCH_NORM = enum.auto()
    CHANNEL_AFFINE = enum.auto()
    SUM = enum.auto()
    TAKES_RELU = enum.auto()
    NOT_NEGATIVE = enum.auto()
    IDLE = enum.auto()
    ZERO_BORDER2D = enum.auto()
    MAX_POOL2D = enum.auto()
    AVERAGE_POOL2D = enum.auto()
    BY_CODE = enum.auto()
    SOFTMAX = enum.auto()
    COMPOSED = enum.auto()
    GLOBAL_MAX_POOL2D = enum.auto()
    GLOBAL_AVERAGE_POOL2D = enum.auto()
    RESHAPING = enum.auto()
    CONCATENATION = enum.auto()
    QUANTIZATION = enum.auto()
    QUANTIZED_PRODUCT = enum.auto()
    NORMALIZED_PRODUCT = enum.auto()
    MULTIPLICATION = enum.auto()
    AFFINE_RELU = enum.auto()
    CALLS_KERNELS = enum.auto()


NONE = Trait(0)

#: What a derived class may change and keep its traits: neither verb looks at it.
_FREE = {"get_config", "from_config", "traits", "replayable"}
_HOOKS = {"__call__", "__getattr__", "__getattribute__", "__setattr__", "__new__"}


def of(thing: Any) -> Trait:
    """Return what a layer, function or node promises; nothing for what is none of fastcnn's kind."""
    found = getattr(thing, "traits", NONE)
    return found if isinstance(found, Trait) else NONE


def kept(cls: type) -> Trait:
    """Return the traits of a new class: its own, or those of the class that it derives from and does not change."""
    if "traits" in vars(cls):
        return vars(cls)["traits"]
    order = cls.__mro__
    at = next((k for k in range(1, len(order)) if "traits" in vars(order[k])), None)
    if at is None:
        return NONE
    parent = order[at]
    line = parent.__mro__[:-1]  # without object
    if order[at:at + len(line)] != line:  # a class beside it has slipped in between
        return NONE
    changes = any(_changes(name, value, parent) for one in order[:at] for name, value in vars(one).items())
    return NONE if changes else vars(parent)["traits"]


def _changes(name: str, value: Any, parent: type) -> bool:
    if name in _FREE or (name.startswith("__") and name not in _HOOKS):
        return False
    return hasattr(parent, name) or name in _HOOKS or hasattr(type(value), "__set__")


__all__ = ["Trait"]  # the rest is for classes that declare traits and for rules that ask
