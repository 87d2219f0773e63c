"""The training operators (domain ai.onnx.preview.training): one step of an optimizer on any number of tensors.

Inputs are the learning rate R, the count of steps T before this one, and then the tensors X, their gradients G and
their states, each as so many in a row; outputs are the new tensors and the new states.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._registry import TRAINING, operator


def _each(who: str, arrays: tuple[np.ndarray, ...], kinds: int) -> Iterator[tuple[np.ndarray, ...]]:
    count, rest = divmod(len(arrays), kinds)
    if rest:
        raise ModelFileError(f"{who}: expected {kinds} arrays for each tensor, got {len(arrays)}")
    return zip(*(arrays[part * count : (part + 1) * count] for part in range(kinds)))


def _in_order(results: Sequence[tuple[Any, ...]], like: np.dtype) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(array, like) for kind in zip(*results) for array in kind)


@operator("Adagrad", domain=TRAINING)
def adagrad(rate: np.ndarray, step: np.ndarray, *arrays: np.ndarray, decay_factor: float = 0.0, epsilon: float = 0.0,
            norm_coefficient: float = 0.0) -> tuple[np.ndarray, ...]:
    """H += G^2; X -= R / (1 + T decay_factor) G / (sqrt(H) + epsilon). Duchi, Hazan and Singer, 2011."""
    now, results = rate / (1 + step * decay_factor), []
    for x, gradient, history in _each("Adagrad", arrays, 3):
        gradient = gradient + norm_coefficient * x
        history = history + gradient * gradient
        results.append((x - now * gradient / (np.sqrt(history) + epsilon), history))
    return _in_order(results, arrays[0].dtype)


@operator("Adam", domain=TRAINING)
def adam(rate: np.ndarray, step: np.ndarray, *arrays: np.ndarray, alpha: float = 0.9, beta: float = 0.999,
         epsilon: float = 0.0, norm_coefficient: float = 0.0,
         norm_coefficient_post: float = 0.0) -> tuple[np.ndarray, ...]:
    """V = alpha V + (1 - alpha) G; H = beta H + (1 - beta) G^2; X -= R' V / (sqrt(H) + epsilon).

    R' is R sqrt(1 - beta^T) / (1 - alpha^T), or R at T = 0. Kingma and Ba, 2015.
    """
    count = float(step.reshape(-1)[0])
    now = rate * (np.sqrt(1 - beta**count) / (1 - alpha**count)) if count > 0 else rate
    results = []
    for x, gradient, velocity, history in _each("Adam", arrays, 4):
        gradient = gradient + norm_coefficient * x
        velocity = alpha * velocity + (1 - alpha) * gradient
        history = beta * history + (1 - beta) * gradient * gradient
        new = x - now * velocity / (np.sqrt(history) + epsilon)
        results.append(((1 - norm_coefficient_post) * new, velocity, history))
    return _in_order(results, arrays[0].dtype)


@operator("Momentum", domain=TRAINING)
def momentum(rate: np.ndarray, step: np.ndarray, *arrays: np.ndarray, alpha: float, beta: float, mode: str,
             norm_coefficient: float) -> tuple[np.ndarray, ...]:
    """V = alpha V + beta' G; X -= R V, or R (G + alpha V) for Nesterov's; beta' is beta, but 1 at T = 0."""
    factor: Any = beta if float(step.reshape(-1)[0]) > 0 else 1.0
    results = []
    for x, gradient, velocity in _each("Momentum", arrays, 3):
        gradient = gradient + norm_coefficient * x
        velocity = alpha * velocity + factor * gradient
        ahead = gradient + alpha * velocity if mode == "nesterov" else velocity
        results.append((x - rate * ahead, velocity))
    return _in_order(results, arrays[0].dtype)
