"""Estimators of scikit-learn: networks that its pipelines, searches and cross-validations take.

    from fastcnn.sklearn import FastCNNClassifier

Needs scikit-learn: pip install "fastcnn[sklearn]".
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastcnn.sklearn.classifier import FastCNNClassifier
    from fastcnn.sklearn.regressor import FastCNNRegressor

__all__ = ["FastCNNClassifier", "FastCNNRegressor"]

_PLACES = {"FastCNNClassifier": "classifier", "FastCNNRegressor": "regressor"}

if not TYPE_CHECKING:  # scikit-learn is imported once it is asked for
    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            import sklearn  # noqa: F401
        except ImportError:
            raise ImportError('fastcnn.sklearn: expected scikit-learn to be installed; pip install '
                              '"fastcnn[sklearn]"') from None
        return getattr(importlib.import_module(f"fastcnn.sklearn.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
