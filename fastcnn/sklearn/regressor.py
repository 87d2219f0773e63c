"""A regressor for scikit-learn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from fastcnn.sklearn.estimator import Estimator
from fastcnn.sklearn.scaling import Scale


class FastCNNRegressor(RegressorMixin, Estimator):
    """A network that tells a number, or several, as an estimator of scikit-learn.

    Parameters, attributes and data are those of `FastCNNClassifier`; the network ends in as many numbers as `y` has
    columns, without an activation. It is trained on the squared error of numbers of mean 0 and variance 1.

    Parameters
    ----------
    model, model_arguments, optimizer, learning_rate, epochs, batch_size, standardize, early_stopping
        As of `FastCNNClassifier`.
    validation_fraction, patience, callbacks, verbose, random_state
        As of `FastCNNClassifier`.

    Attributes
    ----------
    target_scale_ : Scale
        Mean and deviation of the numbers of the first `fit` or `partial_fit`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from fastcnn.sklearn import FastCNNRegressor
    >>> x, y = load_diabetes(return_X_y=True)
    >>> regressor = FastCNNRegressor(epochs=20, early_stopping=True, random_state=1).fit(x[::2], y[::2])
    >>> bool(regressor.score(x[1::2], y[1::2]) > 0.3)
    True
    """

    _activation = None
    _loss = "mse"
    _is_numeric = True

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Take one pass over some examples, from the weights as they are.

        Parameters
        ----------
        X, y, sample_weight
            As of `fit`.

        Returns
        -------
        self
        """
        return self._train_once(*self._checked(X, y, sample_weight, reset=not hasattr(self, "model_")))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the numbers of each example, float64: (N,), or (N, K) where `y` had columns.

        Parameters
        ----------
        X : as of `fit`
        """
        raw = self._raw(X)
        found = self.target_scale_.unscaled(raw)
        return found.reshape(-1) if self._is_flat else found

    def _targets(self, y: NDArray[Any], reset: bool) -> NDArray[Any]:
        if reset:
            self._is_flat = y.ndim == 1
        return y.reshape(len(y), -1).astype(np.float64)

    def _outputs(self, targets: NDArray[Any], weights: NDArray[Any]) -> int:
        self.target_scale_ = Scale.of(targets, weights)
        return targets.shape[1]

    def _prepared(self, x: NDArray[Any], targets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.scale_.scaled(x), self.target_scale_.scaled(targets)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
