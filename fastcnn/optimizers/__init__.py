"""Optimizers, with Keras's names and defaults, and schedules of the learning rate."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.optimizers import schedules
from fastcnn.optimizers.adafactor import Adafactor
from fastcnn.optimizers.adam_family import Adamax, Lamb, Lion, Nadam, ScheduleFreeAdamW
from fastcnn.optimizers.adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from fastcnn.optimizers.base import Optimizer
from fastcnn.optimizers.by_name import deserialize, get, names, serialize
from fastcnn.optimizers.descent import SGD, Adam, AdamW
from fastcnn.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from fastcnn.optimizers.muon import Muon

__all__ = ["SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion",
           "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "ScheduleFreeAdamW",
           "deserialize", "get", "names", "schedules", "serialize"]

if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("optimizers")
