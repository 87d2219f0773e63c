"""ResNet-50, and how it wants its images; the network is made in `fastcnn.applications.resnet`."""

from fastcnn.applications.imagenet import decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.applications.resnet import ResNet50

preprocess_input = by_mode("caffe")

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
