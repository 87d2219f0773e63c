"""The loss and the metrics of all outputs of a model, and their running means over an epoch."""

from fastcnn.objective.joint_objective import JointObjective, objective_of
from fastcnn.objective.objective import Objective
from fastcnn.objective.outputs import loss_of, losses_of, per_output
from fastcnn.objective.running_means import RunningMeans
from fastcnn.objective.target import Target

__all__ = ["JointObjective", "Objective", "RunningMeans", "Target", "loss_of", "losses_of", "objective_of",
           "per_output"]
