"""VGG-16, and how it wants its images; the network is made in `fastcnn.applications.vgg`."""

from fastcnn.applications.imagenet import decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.applications.vgg import VGG16

preprocess_input = by_mode("caffe")

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
