"""Models: layers put together, with fit, evaluate and predict."""

from fastcnn.models.model import Model
from fastcnn.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
