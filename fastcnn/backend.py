"""Keras's older names for what `fastcnn.config` and `fastcnn.utils` tell: ``keras.backend.epsilon()`` in scripts."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.config import epsilon, floatx, image_data_format, set_floatx
from fastcnn.utils import clear_session

__all__ = ["clear_session", "epsilon", "floatx", "image_data_format", "set_floatx"]

if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("backend")
