"""The kinds of pointers that kernels take, as annotations: ``y: floats, size: i32``."""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np


class Pointer:
    """A pointer to numbers of a type, or of one of several: ``uint8s | int32s``.

    Parameters
    ----------
    *names : str
        Of NumPy's types.
    """

    def __init__(self, *names: str) -> None:
        self.dtypes = tuple(map(np.dtype, names))

    def __or__(self, other: "Pointer") -> "Pointer":
        return Pointer(*(dtype.name for dtype in self.dtypes + other.dtypes))

    def __repr__(self) -> str:
        return " | ".join(f"{dtype.name}*" for dtype in self.dtypes)


if TYPE_CHECKING:
    floats: TypeAlias = Any
    doubles: TypeAlias = Any
    uint8s: TypeAlias = Any
    int32s: TypeAlias = Any
    int64s: TypeAlias = Any
else:
    floats, doubles = Pointer("float32"), Pointer("float64")
    uint8s, int32s, int64s = Pointer("uint8"), Pointer("int32"), Pointer("int64")
