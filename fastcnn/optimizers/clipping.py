"""Gradients that are too long are shortened: each parameter's, or all of them together."""

import math
from collections.abc import Sequence

import numpy as np

from fastcnn.optimizers.parameter_group import norms, scale_parts
from fastcnn.parameter_blocks import Segment


def clip(segments: Sequence[Segment], factor: float, clipnorm: float | None, clipvalue: float | None,
         global_clipnorm: float | None) -> None:
    """Scale the gradients by `factor`, then clip them.

    Parameters
    ----------
    segments : list of Segment
        Of all parameters that are trained.
    factor : float
    clipnorm, clipvalue, global_clipnorm : float, optional
        As `fastcnn.optimizers.Optimizer`.
    """
    lengths = [norms(s, s.gradients) * factor for s in segments] if clipnorm or global_clipnorm else []
    if clipnorm:
        factors = [clipnorm / np.maximum(n, clipnorm) for n in lengths]
    elif global_clipnorm:
        # A norm that is infinite or NaN makes all gradients NaN, as in Keras, instead of hiding what happened.
        whole = math.sqrt(sum(float((n * n).sum()) for n in lengths))
        share = global_clipnorm / max(whole, global_clipnorm) if math.isfinite(whole) else math.nan
        factors = [np.full(len(n), share) for n in lengths]
    else:
        factors = [np.ones(len(s.parameters)) for s in segments]
    for segment, each in zip(segments, factors, strict=True):
        scale_parts(segment, segment.gradients, factor * each, clipvalue or math.inf)
