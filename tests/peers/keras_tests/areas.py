"""The areas of Keras's tests that concern what fastcnn is for, and their files."""

import functools
import importlib.util
from pathlib import Path

AREAS = {
    "convolutional": ["layers/convolutional"],
    "pooling": ["layers/pooling"],
    "normalization": ["layers/normalization"],
    "activation layers": ["layers/activations"],
    "core": ["layers/core/dense_test.py", "layers/core/identity_test.py", "layers/core/input_layer_test.py",
             "layers/core/lambda_layer_test.py", "layers/core/wrapper_test.py", "layers/layer_test.py"],
    "merging": ["layers/merging"],
    "regularization": ["layers/regularization"],
    "reshaping": ["layers/reshaping"],
    "preprocessing": ["layers/preprocessing/normalization_test.py", "layers/preprocessing/rescaling_test.py"],
    "activations": ["activations"],
    "losses": ["losses"],
    "metrics": ["metrics"],
    "optimizers": ["optimizers"],
    "initializers": ["initializers"],
    "regularizers": ["regularizers"],
    "constraints": ["constraints"],
    "callbacks": ["callbacks"],
    "models": ["models"],
    "trainers": ["trainers"],
    "saving": ["saving"],
    "utils": ["utils"],
    "applications": ["applications"],
    "augmentation": ["layers/preprocessing/image_preprocessing"],
}

#: Counted by itself: its tests came with layers that are younger than the other counts.
APART = ("augmentation",)


@functools.cache
def source() -> Path:
    """Return the folder `keras/src` of the installed Keras; nothing of it is imported."""
    spec = importlib.util.find_spec("keras")
    if spec is None or spec.origin is None:
        raise ImportError("Keras 3.15.1 is not installed: pip install '.[judges]'")
    return Path(spec.origin).parent / "src"


def files(area: str) -> list[Path]:
    """Return the test files of an area."""
    root, found = source(), []
    for part in AREAS[area]:
        path = root / part
        found += [path] if path.suffix else sorted(path.rglob("*_test.py"))
    return found


def chosen(words: list[str]) -> dict[str, list[Path]]:
    """Return the files that words on the command line mean: areas, or parts of paths below `keras/src`."""
    wanted = {}
    for area in AREAS:
        every = files(area)
        some = [path for path in every if not words or area in words
                or any(word in str(path.relative_to(source())) for word in words)]
        if some:
            wanted[area] = some
    return wanted
