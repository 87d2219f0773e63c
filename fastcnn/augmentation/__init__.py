"""Pictures changed at random on their way from a loader to a network: many changes, compiled into few passes."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.augmentation.mosaic import Mosaic
from fastcnn.augmentation.pipeline import Augmented, Pipeline, Stage

__all__ = ["Augmented", "Mosaic", "Pipeline", "Stage"]

if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("augmentation")
