"""FaceNet: faces as points, near for one person and far for two. OpenFace's small form of its network NN4."""

from typing import Any, NamedTuple

from fastcnn import layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, conv_bn, image_shape, network, relu
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.models import Model


class _Module(NamedTuple):
    """An Inception module: filters of each branch, none where a branch is not there."""

    three: tuple[int, int]  # 1 x 1, then 3 x 3
    five: tuple[int, int] | None  # 1 x 1, then 5 x 5
    pooled: int | None  # 1 x 1 behind the pooling; None: the pooling alone
    one: int | None  # 1 x 1
    norm: str  # of the pooling: "max", or "l2"
    strides: int = 1


# Rows of OpenFace's definition; 4b, 4c and 4d of the paper's NN4 are left out, and 5a and 5b are narrower.
_MODULES = {
    "3a": _Module((96, 128), (16, 32), 32, 64, "max"),
    "3b": _Module((96, 128), (32, 64), 64, 64, "l2"),
    "3c": _Module((128, 256), (32, 64), None, None, "max", 2),
    "4a": _Module((96, 192), (32, 64), 128, 256, "l2"),
    "4e": _Module((160, 256), (64, 128), None, None, "max", 2),
    "5a": _Module((96, 384), None, 96, 256, "l2"),
    "5b": _Module((96, 384), None, 96, 256, "max"),
}
_SMALLEST = 65  # leaves 3 x 3 for the last modules, whose windows are as large


def FaceNet(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
            input_shape: Shape | None = None, pooling: str | None = None, embedding_size: int = 128,
            name: str = "nn4_small2") -> Model:
    """FaceNet as OpenFace's nn4.small2: faces (N, 96, 96, 3) to embeddings (N, 128) of length 1.

    It has 3,733,968 parameters that are trained, as published, and 3,743,280 with moving statistics. Weights are the
    user's: what is checked here are the shapes of its definition and the number of parameters, not what OpenFace's
    trained network answers. From nothing it is trained by `fastcnn.losses.Triplet` on
    `fastcnn.vision.identity.ClassBatches`.

    Images: x / 255, 96 x 96, at least 65 x 65, of one size. OpenFace's own are RGB, with eyes and nose brought to the
    same places.

    The poolings of its modules have no padding, and strides of 2 (the largest) or 3 (the root of the sum of squares);
    what they give is smaller than the other branches and is put into the middle of zeros, as Torch's DepthConcat does.

    Parameters
    ----------
    include_top, weights, input_tensor, input_shape, pooling, name
        As in `fastcnn.applications`, but that rows and columns are never left open.
    embedding_size : int
        Numbers in an embedding.

    References
    ----------
    Schroff, Kalenichenko, Philbin: FaceNet: a unified embedding for face recognition and clustering, CVPR 2015.
    Amos, Ludwiczuk, Satyanarayanan: OpenFace: a general-purpose face recognition library with mobile applications,
    CMU-CS-16-118, 2016.
    """
    (embedding_size,) = positive("FaceNet", embedding_size=embedding_size)
    default: Shape = (96, 96, 3)
    if input_tensor is None and input_shape is None:
        input_shape = default
    if None in image_shape("FaceNet", input_tensor, input_shape, default)[:2]:
        raise ArgumentError("FaceNet: expected known rows and columns, as its poolings are padded by them, got None; "
                            "give input_shape=(96, 96, 3), say")

    def features(x: Tensor) -> Tensor:
        x = _conv(x, 64, 7, "1", 2)
        x = _norm(layers.MaxPooling2D(3, 2, 1, name="pool1")(x), "lrn1")
        x = _norm(_conv(_conv(x, 64, 1, "2"), 192, 3, "3"), "lrn2")
        x = layers.MaxPooling2D(3, 2, 1, name="pool2")(x)
        for module, row in _MODULES.items():
            x = _inception(x, row, f"inception_{module}")
        return x

    def top(x: Tensor) -> Tensor:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(embedding_size, name="dense")(x)
        return layers.UnitNormalization(name="embedding")(x)

    return network("FaceNet", features, top, Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=default, smallest=_SMALLEST)


def _conv(x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
    # Torch's constants: epsilon 1e-5, and a momentum of 0.1 for what is new.
    return conv_bn(x, filters, size, strides, size // 2, name=f"conv{name}", bn_name=f"bn{name}",
                   activation=relu(f"relu{name}"), epsilon=1e-5, momentum=0.9, use_bias=True)


def _norm(x: Tensor, name: str) -> Tensor:
    # Torch divides its alpha, 1e-4, by the channels that are summed.
    return layers.LocalResponseNormalization(5, alpha=2e-5, beta=0.75, k=1.0, name=name)(x)


def _inception(x: Tensor, row: _Module, name: str) -> Tensor:
    branches = [_reduced(x, row.three, 3, row.strides, f"_{name}_3x3")]
    if row.five is not None:
        branches.append(_reduced(x, row.five, 5, row.strides, f"_{name}_5x5"))
    pool: Any = layers.MaxPooling2D(3, 2, name=f"{name}_pool") if row.norm == "max" else layers.L2Pooling2D(
        3, 3, name=f"{name}_pool")
    small = pool(x) if row.pooled is None else _conv(pool(x), row.pooled, 1, f"_{name}_pool")
    branches.append(_in_the_middle(small, branches[0].shape, f"{name}_pad"))
    if row.one is not None:
        branches.append(_conv(x, row.one, 1, f"_{name}_1x1"))
    return layers.Concatenate(name=name)(branches)


def _reduced(x: Tensor, filters: tuple[int, int], size: int, strides: int, name: str) -> Tensor:
    return _conv(_conv(x, filters[0], 1, f"{name}_reduce"), filters[1], size, name, strides)


def _in_the_middle(x: Tensor, shape: tuple[int | None, ...], name: str) -> Tensor:
    """Put zeros around feature maps until they are as large as others; the odd one of them last."""
    missing = [int(shape[axis] or 0) - int(x.shape[axis] or 0) for axis in (1, 2)]
    if not any(missing):
        return x
    return layers.ZeroPadding2D(tuple((count // 2, count - count // 2) for count in missing), name=name)(x)
