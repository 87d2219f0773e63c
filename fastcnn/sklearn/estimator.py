"""What the classifier and the regressor have in common: training, prediction, and how they are pickled."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fastcnn import optimizers, random
from fastcnn.callbacks import EarlyStopping
from fastcnn.errors import ArgumentError
from fastcnn.sklearn.merging import merged
from fastcnn.sklearn.networks import Network, network
from fastcnn.sklearn.pickled import as_bytes, from_bytes, go_on
from fastcnn.sklearn.scaling import Scale

_ADAM_RATES = {False: 0.005, True: 0.002}  # of features, of images
_STEPS_OF_FEW, _FEWEST, _MOST = 600, 10, 200  # steps of 32 examples, and epochs


class Estimator(BaseEstimator):
    """See `fastcnn.sklearn.FastCNNClassifier`."""

    _activation: str | None = None
    _loss: str

    def __init__(self, model: Network = None, *, model_arguments: dict[str, Any] | None = None,
                 optimizer: Any = "adam", learning_rate: float | None = None, epochs: int | None = None,
                 batch_size: int = 32, standardize: bool = True, early_stopping: bool = False,
                 validation_fraction: float = 0.1, patience: int = 10, callbacks: Any = None, verbose: int = 0,
                 random_state: Any = None) -> None:
        self.model = model
        self.model_arguments = model_arguments
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train a fresh network.

        Equal examples are one with the sum of their weights, and what is left is ordered by its content. So a weight
        of 3 is the same as three copies, to the bit, and the order of the examples does not matter.

        Parameters
        ----------
        X : (N, F) array of features, or (N, H, W, C) array of images
        y : (N,) array, or (N, K) for a regressor of several numbers
        sample_weight : (N,) array, optional
            Not negative.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            What is no such data, or a parameter that does not fit.
        """
        x, targets, weights = self._checked(X, y, sample_weight, reset=True)
        some = merged(x, targets, weights)
        x, targets = x[some.rows], targets[some.rows]
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        with random.apart(seed):
            self._begin(x, targets, some.weights)
            parts = self._parts(len(x), targets, seed)
            asked = [] if self.callbacks is None else self.callbacks
            given: dict[str, Any] = {"callbacks": list(asked) if isinstance(asked, (list, tuple)) else [asked]}
            if len(parts) == 2:
                held = parts[1]
                given["validation_data"] = (*self._prepared(x[held], targets[held]), some.weights[held])
                given["callbacks"].append(EarlyStopping("val_loss", patience=self.patience, restore_best_weights=True))
            train = parts[0]
            history = self.model_.fit(
                *self._prepared(x[train], targets[train]), batch_size=self.batch_size, epochs=self._count(len(train)),
                sample_weight=None if some.are_equal else some.weights[train], verbose=self.verbose, **given)
        self.history_ = {name: list(values) for name, values in history.history.items()}
        return self

    def _train_once(self, x: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any] | None) -> Any:
        """Take one pass over examples, and begin with a fresh network where there is none."""
        if not hasattr(self, "model_"):
            seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
            with random.apart(seed):
                self._begin(x, targets, np.ones(len(x)))
        self.model_.fit(*self._prepared(x, targets), batch_size=self.batch_size, verbose=self.verbose,
                        sample_weight=weights)
        return self

    def _begin(self, x: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any]) -> None:
        """Make the network, and what brings examples to mean 0 and variance 1."""
        self.scale_ = Scale.of(x, weights) if self.standardize else Scale.none(x)
        self.model_ = network(self.model, self.model_arguments, x.shape[1:], self._outputs(targets, weights),
                              self._activation)
        self._require_end()
        self.model_.compile(self._optimizer(x.ndim > 2), self._loss)

    def _optimizer(self, has_images: bool) -> Any:
        if isinstance(self.optimizer, optimizers.Optimizer):
            if self.learning_rate is not None:
                raise ArgumentError(f"learning_rate: expected None beside {self.optimizer!r}, which has its own, got "
                                    f"{self.learning_rate!r}; leave one out")
            return type(self.optimizer).from_config(copy.deepcopy(self.optimizer.get_config()))
        rate = self.learning_rate
        if rate is None and self.optimizer == "adam":
            rate = _ADAM_RATES[has_images]
        return optimizers.get(self.optimizer, **({} if rate is None else {"learning_rate": rate}))

    def _count(self, examples: int) -> int:
        if self.epochs is not None:
            return self.epochs
        return min(_MOST, max(_FEWEST, _STEPS_OF_FEW * 32 // max(1, examples)))

    def _parts(self, count: int, targets: NDArray[Any], seed: int) -> list[NDArray[Any]]:
        """Return the rows to train on, and those that tell when to stop, if any."""
        if not self.early_stopping:
            return [np.arange(count)]
        if not 0 < self.validation_fraction < 1:
            raise ArgumentError("validation_fraction: expected a number between 0 and 1, got "
                                f"{self.validation_fraction!r}")
        return list(train_test_split(np.arange(count), test_size=self.validation_fraction, random_state=seed,
                                     stratify=self._strata(targets)))

    def _checked(self, x: Any, y: Any, sample_weight: Any, reset: bool, keeps: bool = False) -> Any:
        x, y = validate_data(self, x, y, reset=reset, allow_nd=True, multi_output=True, y_numeric=self._is_numeric)
        self._require_shape(x, reset)
        targets = self._targets(y, reset and not keeps)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, x, ensure_non_negative=True)
            if not weights.any():
                raise ArgumentError(f"{type(self).__name__}: expected weights of which some are positive, got zeros")
        return x, targets, weights

    def _require_shape(self, x: NDArray[Any], reset: bool) -> None:
        if reset:
            self.input_shape_ = x.shape[1:]
        elif x.shape[1:] != self.input_shape_:
            raise ArgumentError(f"{type(self).__name__}: expected examples of shape {self.input_shape_}, as it was "
                                f"trained on, got {x.shape[1:]}")

    def _raw(self, X: Any) -> NDArray[Any]:
        """Return the outputs of the network."""
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, allow_nd=True)
        self._require_shape(x, reset=False)
        scaled = self.scale_.scaled(x)
        if len(scaled) == 1:  # a single row goes another way through the kernels, with other last bits
            return np.asarray(self.model_.predict(np.repeat(scaled, 2, axis=0)))[:1]
        return np.asarray(self.model_.predict(scaled))

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = as_bytes(state["model_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        held = vars(self).get("model_")
        if isinstance(held, dict):
            who = type(self).__name__
            self.model_ = from_bytes(held, who)
            self.model_.compile(self._optimizer(len(self.input_shape_) > 1), self._loss)
            go_on(self.model_, held, who)

    # --- for children -----------------------------------------------------------------------------------------------

    _is_numeric = False

    def _targets(self, y: NDArray[Any], reset: bool) -> NDArray[Any]:
        raise NotImplementedError

    def _outputs(self, targets: NDArray[Any], weights: NDArray[Any]) -> int:
        raise NotImplementedError

    def _prepared(self, x: NDArray[Any], targets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        raise NotImplementedError

    def _strata(self, targets: NDArray[Any]) -> NDArray[Any] | None:
        return None

    def _require_end(self) -> None:
        """Raise where the network ends in what the loss does not take."""
