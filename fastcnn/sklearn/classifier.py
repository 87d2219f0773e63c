"""A classifier for scikit-learn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from fastcnn.errors import ArgumentError
from fastcnn.sklearn.estimator import Estimator


class FastCNNClassifier(ClassifierMixin, Estimator):
    """A network that tells classes apart, as an estimator of scikit-learn.

    Features (N, F) take a multi-layer perceptron, images (N, H, W, C) a small convolutional network, where nothing
    else is said. It goes into pipelines, searches and cross-validations, and is pickled in fastcnn's own format. With
    `GridSearchCV(n_jobs=2)` each process takes as many threads as joblib leaves it.

    Parameters
    ----------
    model : str, function, Model or None
        A name such as "lenet5" (`fastcnn.applications.by_name`); a function (shape of an example, number of classes)
        -> Model that ends in a softmax; or a model, of which a copy is trained, from its weights on.
    model_arguments : dict, optional
        What else the function takes: ``{"hidden_units": (64, 64)}``.
    optimizer : str or Optimizer
    learning_rate : float, optional
        0.005 for features and 0.002 for images with "adam"; else the optimizer's own.
    epochs : int, optional
        By the number of examples if absent: at most 200, for few of them, and at least 10.
    batch_size : int
    standardize : bool
        Bring each feature, or each channel of images, to mean 0 and variance 1 of what `fit` is given; `partial_fit`
        keeps those of its first call.
    early_stopping : bool
        Hold back a part of the examples, stop when their loss has not improved for `patience` epochs, and keep the
        best weights.
    validation_fraction : float
    patience : int
    callbacks : Callback or list of them, optional
    verbose : int
        As of `Model.fit`.
    random_state : int, RandomState or None
        The same integer gives the same bits on any number of threads.

    Attributes
    ----------
    classes_ : (K,) array
    model_ : Model
        It takes examples as `scale_.scaled` makes them.
    scale_ : Scale
        What is subtracted from features or channels, and what they are divided by.
    history_ : dict of list
        Loss by epoch, of the last `fit`.
    n_features_in_ : int
    input_shape_ : tuple
        Of an example.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastcnn.sklearn import FastCNNClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> classifier = FastCNNClassifier(epochs=60, random_state=1).fit(x[::2], y[::2])
    >>> bool(classifier.score(x[1::2], y[1::2]) > 0.9)
    True
    """

    _activation = "softmax"
    _loss = "sparse_categorical_crossentropy"

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Take one pass over some examples, from the weights as they are.

        Parameters
        ----------
        X, y, sample_weight
            As of `fit`.
        classes : (K,) array, optional
            All there will be; the first call needs them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            No classes at the first call, or others at a later one.
        """
        first = not hasattr(self, "model_")
        if first and classes is None:
            raise ArgumentError("partial_fit: expected classes at the first call, got None; pass np.unique(y) of all "
                                "examples")
        if first:
            self.classes_ = np.unique(classes)
        elif classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ArgumentError(f"partial_fit: expected the classes of the first call, {self.classes_}, got {classes}")
        return self._train_once(*self._checked(X, y, sample_weight, reset=first, keeps=True))

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class.

        Parameters
        ----------
        X : as of `fit`

        Returns
        -------
        (N, K) array of float64
            Rows sum to 1.
        """
        raw = self._raw(X).astype(np.float64)
        found: NDArray[Any] = raw / raw.sum(axis=1, keepdims=True)
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each example.

        Parameters
        ----------
        X : as of `fit`
        """
        raw = self._raw(X)
        found: NDArray[Any] = self.classes_[raw.argmax(axis=1)]
        return found

    def _targets(self, y: NDArray[Any], reset: bool) -> NDArray[Any]:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if type_of_target(y) == "continuous":
            raise ArgumentError("FastCNNClassifier: Unknown label type: expected classes, got numbers such as "
                                f"{y[0]!r}")
        if reset:
            self.classes_, found = np.unique(y, return_inverse=True)
            return found.reshape(-1)
        if (strange := np.setdiff1d(y, self.classes_)).size:
            raise ArgumentError(f"partial_fit: expected the classes of the first call, {self.classes_}, got "
                                f"{strange[:5]} too")
        return np.searchsorted(self.classes_, y)

    def _outputs(self, targets: NDArray[Any], weights: NDArray[Any]) -> int:
        return len(self.classes_)

    def _prepared(self, x: NDArray[Any], targets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.scale_.scaled(x), targets

    def _strata(self, targets: NDArray[Any]) -> NDArray[Any] | None:
        return targets if np.bincount(targets).min() > 1 else None

    def _require_end(self) -> None:
        last = self.model_.layers[-1]
        if type(last).__name__ != "Softmax" and last.get_config().get("activation") != "softmax":
            raise ArgumentError(f"model: expected one that ends in probabilities, got {last} as its last layer; let it "
                                "have activation='softmax', or add Softmax()")
