"""Callbacks: what happens beside training, with Keras's names and hooks; one of your own derives from `Callback`."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.callback_list import CallbackList
from fastcnn.callbacks.history import History
from fastcnn.callbacks.output import shown
from fastcnn.callbacks.progress import ProgressLine

__all__ = ["Callback", "CallbackList", "History", "Logs", "ProgressLine", "shown"]

if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("callbacks")
