"""What a loss is: the value of each sample and, in the same pass, the gradient of what Keras reports for the batch.

A loss is first a number for each *position* of a sample: (N,) for outputs (N, K), (N, H, W) for outputs (N, H, W, K).
With l and w the losses and weights of all positions, the reported value is

    sum_over_batch_size, mean     sum(w l) / (how many positions count: all of them but the ignored and unknown)
    mean_with_sample_weight       sum(w l) / sum(w)
    sum                           sum(w l)
"""

import math
from typing import Any

import numpy as np

from fastcnn import _hooks, device, dtype_policies, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.geometry.positions import broadcast_weights, trimmed
from fastcnn.losses import own
from fastcnn.losses.in_rows import InRows
from fastcnn.losses.targets import Takes, check_targets
from fastcnn.unsupported import ExplainsUnsupported

NONE = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")
_REDUCTIONS = (*_MEANS, "sum", "none", None)


class Loss(InRows, ExplainsUnsupported):
    """The base of losses: `forward` for training, a call for the value alone.

    A loss of your own has ``call(self, y_true, y_pred)``, which returns the loss of each position as a tensor, by
    `fastcnn.ops` and operators. One that computes with arrays overrides `forward`, or `targets` and `kernel`.

    Parameters
    ----------
    name : str, optional
    reduction : str
        "sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"; with "none" or None a call returns the loss
        of each position, and there is nothing to train with.
    dtype : str or DTypePolicy, optional
        "float32" or "float64". A loss computes in the type of the outputs whatever it says.

    Raises
    ------
    ArgumentError
        If the reduction is not known.

    Examples
    --------
    >>> class Squared(losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return fc.ops.mean((y_true - y_pred) ** 2, axis=-1)
    ...
    >>> Squared()(np.zeros((2, 1)), np.ones((2, 1)))
    1.0
    """

    unsupported = "loss"

    #: Whether the loss takes the probabilities of a softmax, so that `forward_from_logits` may stand for both.
    follows_softmax = False

    #: Whether it takes lists of all outputs and of all targets (`JointLoss`).
    joint = False

    #: Whether `forward` draws at random what it counts: training tells it the seed and the step, as ``draw=``.
    draws = False

    #: Whether it has a `call` of its own, which says what it is with tensors (`fastcnn.losses.own`).
    has_call = False
    _traced: own.TracedLoss | None = None

    #: What targets may be; None leaves it to the loss, as in one of your own.
    takes: Takes | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.has_call = cls.has_call or "call" in vars(cls)

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size",
                 dtype: Any = None) -> None:
        who = type(self).__name__
        if reduction not in _REDUCTIONS:
            raise ArgumentError(f"{who}: reduction={reduction!r} is not known; known are "
                                f"{', '.join(map(repr, _REDUCTIONS))}")
        if dtype is not None:
            self.dtype = dtype_policies.get(dtype, who).variable_dtype.name
        self.name = name if name is not None else who.lower()
        self.reduction = reduction

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True,
                sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the loss of each sample (N,), whose mean is the reported value, and the gradient of that value.

        Parameters
        ----------
        y_true : array
            Targets, as the loss wants them.
        y_pred : (N, ...) float array
            Outputs of the model.
        wants_gradient : bool
            Else the gradient, of the shape of `y_pred`, is None.
        sample_weight : array, optional
            (N,), or one for each position of a sample: (N, H, W) for outputs (N, H, W, K), or (N, H) for rows of them.

        Raises
        ------
        ArgumentError
            If the shapes do not agree.
        """
        if self.has_call:
            return own.forward(self, y_true, y_pred, wants_gradient, sample_weight)
        values, gradient, divisor = self.run(y_true, y_pred, wants_gradient, sample_weight)
        return self.folded(values, len(y_pred), divisor), gradient

    def forward_from_logits(self, y_true: np.ndarray, logits: np.ndarray, wants_probabilities: bool = True,
                            sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the losses (N,) of softmax(logits), the gradient with respect to the *logits*, and the softmax.

        One kernel, for a loss that `follows_softmax` and a model whose last step is a softmax over the last axis. It
        is exact where `forward` clips probabilities to [1e-7, 1 - 1e-7] and then passes no gradient; Keras does the
        same when it finds the logits of a softmax.

        Parameters
        ----------
        y_true : array
            Targets, as the loss wants them.
        logits : (N, ..., classes) float array
        wants_probabilities : bool
            Else None stands for softmax(logits).
        sample_weight : array, optional
            As in `forward`.

        Raises
        ------
        ArgumentError
            If the shapes do not agree.
        """
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch: a number, or an array of the positions' losses where `reduction` is None.

        Of symbolic tensors it is one.
        """
        if symbolic.is_symbolic([y_true, y_pred]):
            weights = [] if sample_weight is None else [sample_weight]
            return _hooks.hooks["primitive"]("loss")(y_true, y_pred, *weights, loss=self)
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if self.has_call:
            return own.called(self, y_true, y_pred, sample_weight)
        y_pred = np.ascontiguousarray(y_pred, y_pred.dtype if y_pred.dtype in NONE else np.float32)
        if y_pred.ndim == 1 and y_true.ndim == 2 and y_true.shape[1] == 1:
            y_pred = y_pred[:, None]
        if y_pred.ndim < 2:
            return self.of_vector(y_true, y_pred, sample_weight)
        if self.reduction not in ("none", None):
            losses, _ = self.forward(y_true, y_pred, wants_gradient=False, sample_weight=sample_weight)
            return float(losses.mean(dtype=np.float64)) if losses.size else 0.0
        values, _, _ = self._run(y_true, y_pred, False, sample_weight)
        return values.reshape(self.positions(y_pred)).copy()

    def of_vector(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any) -> Any:
        """Return the loss of a vector of outputs, which is one number, as that of a row is; weights multiply it."""
        rows = y_true.reshape(1, -1), y_pred.reshape(1, -1)
        if self.reduction in ("none", None):
            value = float(self._run(*rows, False, None)[0][0])
        else:
            value = float(self.forward(*rows, wants_gradient=False)[0][0])
        return self.weighted(value, sample_weight)

    def weighted(self, value: float, sample_weight: Any) -> Any:
        """Return a loss that is one number in all, with weights: reduced as the losses of as many samples."""
        if sample_weight is None:
            return value
        weights = np.asarray(sample_weight, np.float64)
        if self.reduction in ("none", None):
            return value * weights
        total, count = float(weights.sum()), float(weights.size)
        if self.reduction == "mean_with_sample_weight":
            count = total
        return value * total if self.reduction == "sum" else value * total / count if count else 0.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        """Make a loss from `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"

    # --- what a subclass says -----------------------------------------------------------------------------------------

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return the targets as the kernel wants them: rows of the type of the outputs, a row for each position."""
        if trimmed(y_true.shape) != trimmed(y_pred.shape):
            raise ArgumentError(f"{self.name}: expected targets of the outputs' shape {y_pred.shape}, "
                                f"got {y_true.shape}")
        return self.rows(y_true.reshape(y_pred.shape), y_pred.dtype)

    def kernel(self, d: Any, losses: np.ndarray, gradient: np.ndarray, x: np.ndarray, targets: np.ndarray,
               weights: np.ndarray, scale: float, wants_gradient: bool) -> None:
        """Call the kernel of the loss, on rows (M, C): losses (M,) and gradient (M, C) are written."""
        raise NotImplementedError

    def counted(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray | None:
        """Return which positions count, as bool of their shape; None for all."""
        return None

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        """Raise DataError for targets that the loss does not take (`takes`); called before anything is trained.

        Parameters
        ----------
        y_true : array
            Of all samples.
        outputs : int
            The length of the axis of the outputs that the loss is taken over.
        """
        if self.takes is not None:
            check_targets(self.name, y_true, self.takes)

    def doubt(self, y_true: np.ndarray) -> str | None:
        """Return a sentence about targets that are taken, but are hardly meant so; None if there is nothing to say."""
        return None

    # --- for losses -------------------------------------------------------------------------------------------------

    def run(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool, sample_weight: Any
            ) -> tuple[np.ndarray, np.ndarray | None, float]:
        """Return the weighted losses of the positions, flat, the gradient, and what their sum is divided by."""
        if self.reduction in ("none", None):
            raise ArgumentError(f"{self.name}: reduction={self.reduction!r} leaves no number to train with; "
                                f'make the loss with reduction="sum_over_batch_size"')
        return self._run(y_true, y_pred, wants_gradient, sample_weight)

    def _run(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool, sample_weight: Any
             ) -> tuple[np.ndarray, np.ndarray | None, float]:
        d, x = device.of(y_pred), self.output_rows(y_pred)
        targets, weights, divisor = self.prepared(d, y_true, y_pred, sample_weight)
        values, gradient = d.empty(x.shape[:1], x.dtype), d.empty(x.shape, x.dtype)
        self.kernel(d, values, gradient, x, targets, weights, 1.0 / divisor if divisor else 0.0, wants_gradient)
        return values, self._unrowed(gradient, y_pred.shape) if wants_gradient else None, divisor

    def prepared(self, d: Any, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any
                 ) -> tuple[np.ndarray, np.ndarray, float]:
        """Return targets and weights as arrays of the outputs' device, and what the sum is divided by."""
        weights, divisor = self.weights(y_true, y_pred, sample_weight)
        return d.put(self.targets(y_true, y_pred)), d.put(weights), divisor

    def weights(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any) -> tuple[np.ndarray, float]:
        """Return the weights of the positions, flat or of size 0 if all are 1, and what the sum is divided by."""
        shape, counted = self.positions(y_pred), self.counted(y_true, y_pred)
        count = math.prod(shape)
        if sample_weight is None and counted is None:  # no array of ones: kernels take size 0 for it
            return NONE[y_pred.dtype], 1.0 if self.reduction == "sum" else float(count)
        weights = np.ones(shape, y_pred.dtype) if sample_weight is None else np.array(
            broadcast_weights(sample_weight, shape, y_pred.dtype, self.name))  # kernels take no read-only view
        if counted is not None:
            weights = np.where(counted, weights, weights.dtype.type(0))
        if self.reduction == "sum":
            divisor = 1.0
        elif self.reduction == "mean_with_sample_weight":
            divisor = float(weights.sum(dtype=np.float64))
        else:
            divisor = float(count if counted is None else np.count_nonzero(counted))
        return np.ascontiguousarray(weights, y_pred.dtype).reshape(-1), divisor

    def folded(self, values: np.ndarray, samples: int, divisor: float) -> np.ndarray:
        """Return the losses of the samples, whose mean is sum(values) / divisor."""
        if values.size == samples and divisor == samples:
            return values
        d = device.of(values)
        losses = d.empty((samples,), values.dtype)
        d.kernels.fold_losses(losses, values.reshape(samples, values.size // max(1, samples)),
                              values.size / divisor if divisor else 0.0)
        return losses
