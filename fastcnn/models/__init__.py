"""Models: layers put together, with fit, evaluate and predict."""

from typing import TYPE_CHECKING, Any

from fastcnn import _hooks, unsupported
from fastcnn.models.cloning import clone_model, model_from_json
from fastcnn.models.ensembles import ensemble
from fastcnn.models.feature_cache import cached_features
from fastcnn.models.frozen_part import FrozenPart, split_frozen
from fastcnn.models.gradient_check import check_gradients
from fastcnn.models.gradient_report import GradientReport, ParameterCheck
from fastcnn.models.heads import replace_head
from fastcnn.models.model import Model
from fastcnn.models.rate_sweep import RateSweep, lr_finder
from fastcnn.models.sequential import Sequential
from fastcnn.models.time_budget import StepBudget, step_budget

__all__ = ["FrozenPart", "GradientReport", "Model", "ParameterCheck", "RateSweep", "Sequential", "StepBudget",
           "cached_features", "check_gradients", "clone_model", "ensemble", "load_model", "lr_finder",
           "model_from_json", "replace_head", "save_model", "split_frozen", "step_budget"]


def save_model(model: Model, filepath: Any, overwrite: bool = True) -> None:
    """Write a model to a file, as `Model.save`.

    Parameters
    ----------
    model : Model
    filepath : path-like
    overwrite : bool
        Whether a file that is there may be replaced.

    Examples
    --------
    >>> fc.models.save_model(fc.Sequential([fc.Input((8,)), layers.Dense(2)]), "m.safetensors")
    """
    model.save(filepath, overwrite)


def load_model(filepath: Any, custom_objects: dict[str, type] | None = None, compile: bool = True,
               safe_mode: bool = True) -> Any:
    """Return the model in a file, as `fastcnn.saving.load_model`.

    Parameters
    ----------
    filepath : path-like
    custom_objects, compile, safe_mode : as in `fastcnn.saving.load_model`

    Examples
    --------
    >>> fc.Sequential([fc.Input((8,)), layers.Dense(2)]).save("m.safetensors")
    >>> fc.models.load_model("m.safetensors").output_shape
    (None, 2)
    """
    return _hooks.hooks["load_model"](filepath, custom_objects, compile, safe_mode)


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("models")
