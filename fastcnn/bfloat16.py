"""NumPy's type of numbers of bfloat16, 8 significant bits in 16, which a package adds to it."""

import numpy as np


def bfloat16() -> np.dtype:
    """Return the type.

    Raises
    ------
    ImportError
        If ml_dtypes is not installed.
    """
    try:
        from ml_dtypes import bfloat16 as kind
    except ImportError:
        raise ImportError('bfloat16 needs ml_dtypes: pip install "fastcnn[bf16]"') from None
    return np.dtype(kind)


def is_bfloat16(dtype: np.dtype) -> bool:
    """Return whether a type is that type; nothing is imported for the answer."""
    return dtype.itemsize == 2 and dtype.name == "bfloat16"
