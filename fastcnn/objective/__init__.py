"""What training lowers: a loss for each output of a model, and what is told about it while training goes on."""

from fastcnn.objective.objective import Objective
from fastcnn.objective.running import Running
from fastcnn.objective.target import Target
from fastcnn.objective.told import loss_of, spread

__all__ = ["Objective", "Running", "Target", "loss_of", "spread"]
