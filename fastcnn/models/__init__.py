"""Models: layers put together, with fit, evaluate and predict."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.models.gradient_check import check_gradients
from fastcnn.models.gradient_report import GradientReport, ParameterCheck
from fastcnn.models.model import Model
from fastcnn.models.rate_sweep import RateSweep, lr_finder
from fastcnn.models.sequential import Sequential
from fastcnn.models.time_budget import StepBudget, step_budget

__all__ = ["GradientReport", "Model", "ParameterCheck", "RateSweep", "Sequential", "StepBudget", "check_gradients",
           "lr_finder", "step_budget"]


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("models")
