"""What Keras's networks share: how they want their images, and the names of ImageNet's classes."""

from fastcnn.applications.imagenet import decode_predictions
from fastcnn.applications.preprocessing import preprocess_input

__all__ = ["decode_predictions", "preprocess_input"]
