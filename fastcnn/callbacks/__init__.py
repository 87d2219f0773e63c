"""Callbacks: what happens beside training, with Keras's names and hooks; one of your own derives from `Callback`."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.callbacks.averaged_weights import AveragedWeights
from fastcnn.callbacks.backup_and_restore import BackupAndRestore
from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.callback_list import CallbackList
from fastcnn.callbacks.csv_logger import CSVLogger
from fastcnn.callbacks.early_stopping import EarlyStopping
from fastcnn.callbacks.freeze_layers import FreezeLayers
from fastcnn.callbacks.history import History
from fastcnn.callbacks.lambda_callback import LambdaCallback
from fastcnn.callbacks.learning_rate_scheduler import LearningRateScheduler
from fastcnn.callbacks.model_checkpoint import ModelCheckpoint
from fastcnn.callbacks.monitor import Monitor
from fastcnn.callbacks.output import shown
from fastcnn.callbacks.progress import Progress, ProgressLine
from fastcnn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from fastcnn.callbacks.snapshots import Snapshots
from fastcnn.callbacks.stochastic_weight_averaging import StochasticWeightAveraging
from fastcnn.callbacks.stop_at_step import StopAtStep
from fastcnn.callbacks.swap_ema_weights import SwapEMAWeights
from fastcnn.callbacks.tensorboard import TensorBoard
from fastcnn.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = ["AveragedWeights", "BackupAndRestore", "CSVLogger", "Callback", "CallbackList", "EarlyStopping",
           "FreezeLayers", "History", "LambdaCallback", "LearningRateScheduler", "Logs", "ModelCheckpoint", "Monitor",
           "Progress", "ProgressLine", "ReduceLROnPlateau", "Snapshots", "StochasticWeightAveraging",
           "StopAtStep", "SwapEMAWeights", "TensorBoard", "TerminateOnNaN", "shown"]

if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("callbacks")
