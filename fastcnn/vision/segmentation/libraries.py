"""The libraries that mark objects: SciPy and scikit-image, of the extra `vision`, imported where they are used."""

from typing import Any

_HINT = 'it comes with the extra: pip install "fastcnn[vision]"'


def ndimage() -> Any:
    """Return `scipy.ndimage`.

    Raises
    ------
    ImportError
        Without SciPy.
    """
    try:
        from scipy import ndimage as found
    except ImportError:
        raise ImportError(f"segmentation into objects needs SciPy; {_HINT}") from None
    return found


def segmentation() -> Any:
    """Return `skimage.segmentation`.

    Raises
    ------
    ImportError
        Without scikit-image.
    """
    try:
        from skimage import segmentation as found
    except ImportError:
        raise ImportError(f"segmentation into objects needs scikit-image; {_HINT}") from None
    return found
