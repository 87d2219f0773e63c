"""The loss and the metrics of all outputs of a model, and their running means over an epoch."""

from fastcnn.loss_and_metrics.objective import Objective
from fastcnn.loss_and_metrics.per_output import loss_of, per_output
from fastcnn.loss_and_metrics.running_means import RunningMeans
from fastcnn.loss_and_metrics.target import Target

__all__ = ["Objective", "RunningMeans", "Target", "loss_of", "per_output"]
