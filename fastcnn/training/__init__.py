"""Training: fit, evaluate and predict as loops over batches, and the training step with its gradient hook."""

from fastcnn.array_data import Batch, Data
from fastcnn.training.batches import ArrayBatches, Batches
from fastcnn.training.epochs import Epochs
from fastcnn.training.loop import evaluate, fit, is_validated, predict
from fastcnn.training.prefetching import prefetch
from fastcnn.training.run import TrainingRun
from fastcnn.training.shuffle import Orders
from fastcnn.training.step import ForwardResult, Resumable, Trainable, train_step
from fastcnn.training.streams import Stream

__all__ = ["ArrayBatches", "Batch", "Batches", "Data", "Epochs", "ForwardResult", "Orders", "Resumable", "Stream",
           "Trainable", "TrainingRun", "evaluate", "fit", "is_validated", "predict", "prefetch", "train_step"]
