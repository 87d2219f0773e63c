"""Networks that are known by a name: functions that return a fresh model, named as in Keras.

    model = applications.ResNet50(weights="resnet50.weights.h5")
    features = applications.MobileNetV2((96, 96, 3), include_top=False, pooling="avg")

LeNet, LeNet5, ConvNet and those without convolutions are `fastcnn.Sequential`: `input_shape` and `classes` come first,
the others are keywords, and there is no `input_tensor`.

For the networks that Keras has, the layers' names and the order of the weights are Keras's too:
``model.set_weights(keras_model.get_weights())`` fits.

The arguments that they share, in Keras's order (MobileNet and MobileNetV2 begin with `input_shape`, as there):

Parameters
----------
include_top : bool
    Whether the classifier is part of it. Without it the output is the last feature map, or its `pooling`.
weights : None or path
    None for random ones, or a file: ``.safetensors`` of fastcnn, ``.weights.h5``, ``.h5`` or ``.keras`` of Keras (extra
    ``keras``). Nothing is downloaded, so "imagenet" is refused; the error tells how to write Keras's into a file.
input_tensor : symbolic tensor
    What takes the place of the image: of `fastcnn.Input`, or made from such tensors by layers.
input_shape : (H, W, C)
    Of one image, in place of the size that the paper trains with; any number of channels. Without the top it is
    (None, None, 3) if absent: images of any size.
pooling : None, "avg" or "max"
    Without the top: the mean, or the largest, of each channel is the output.
classes : int
classifier_activation : str or None
    Of the last layer; None for logits.
name : str
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.applications import imagenet_utils as imagenet_utils  # Keras's modules, beside those imported below
from fastcnn.applications import resnet50 as resnet50
from fastcnn.applications import vgg16 as vgg16
from fastcnn.applications import vgg19 as vgg19
from fastcnn.applications.alexnet import AlexNet
from fastcnn.applications.classic import MLP, LinearRegression, LogisticRegression, Perceptron
from fastcnn.applications.convnet import ConvNet
from fastcnn.applications.convnext import ConvNeXtBase, ConvNeXtLarge, ConvNeXtSmall, ConvNeXtTiny, ConvNeXtXLarge
from fastcnn.applications.densenet import DenseNet121, DenseNet169, DenseNet201
from fastcnn.applications.efficientnet import (
    EFFICIENTNETS,
    EfficientNet,
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
    compound_scaling,
)
from fastcnn.applications.efficientnet_v2 import (
    EfficientNetV2B0,
    EfficientNetV2B1,
    EfficientNetV2B2,
    EfficientNetV2B3,
    EfficientNetV2L,
    EfficientNetV2M,
    EfficientNetV2S,
)
from fastcnn.applications.facenet import FaceNet
from fastcnn.applications.googlenet import GoogLeNet
from fastcnn.applications.imagenet import decode_predictions
from fastcnn.applications.inception_resnet_v2 import InceptionResNetV2
from fastcnn.applications.inception_v3 import InceptionV3
from fastcnn.applications.lenet import LeNet, LeNet5
from fastcnn.applications.mobilenet import MobileNet
from fastcnn.applications.mobilenet_v2 import MobileNetV2
from fastcnn.applications.mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
from fastcnn.applications.nasnet import NASNetLarge, NASNetMobile
from fastcnn.applications.preprocessing import preprocess_input
from fastcnn.applications.resnet import ResNet18, ResNet34, ResNet50, ResNet101, ResNet152
from fastcnn.applications.resnet_cifar import ResNet20
from fastcnn.applications.resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from fastcnn.applications.squeezenet import SqueezeNet
from fastcnn.applications.unet import UNet
from fastcnn.applications.vgg import VGG16, VGG19
from fastcnn.applications.xception import Xception
from fastcnn.models import Model

__all__ = [
    "EFFICIENTNETS", "MLP", "VGG16", "VGG19", "AlexNet", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall",
    "ConvNeXtTiny", "ConvNeXtXLarge", "ConvNet", "DenseNet121", "DenseNet169", "DenseNet201", "EfficientNet",
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7", "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3",
    "EfficientNetV2L", "EfficientNetV2M", "EfficientNetV2S", "FaceNet", "GoogLeNet", "InceptionResNetV2", "InceptionV3",
    "LeNet", "LeNet5", "LinearRegression", "LogisticRegression", "MobileNet", "MobileNetV2", "MobileNetV3Large",
    "MobileNetV3Small", "NASNetLarge", "NASNetMobile", "Perceptron", "ResNet18", "ResNet20", "ResNet34", "ResNet50",
    "ResNet50V2", "ResNet101", "ResNet101V2", "ResNet152", "ResNet152V2", "SqueezeNet", "UNet", "Xception", "by_name",
    "compound_scaling", "decode_predictions", "find", "preprocess_input",
]  # fmt: skip

#: The names that the command line takes: networks that suit small images, or features, and train from nothing.
by_name: dict[str, Callable[..., Model]] = {
    "lenet": LeNet, "lenet5": LeNet5, "convnet": ConvNet, "mlp": MLP, "logistic_regression": LogisticRegression,
    "linear_regression": LinearRegression, "resnet20": ResNet20,
}  # fmt: skip


def find(name: str) -> Callable[..., Model] | None:
    """Return the function of a network's name, however it is spelled (ResNet50, resnet-50); None if there is none.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> fc.applications.find("resnet-50").__name__
    'ResNet50'
    """
    if name in by_name:
        return by_name[name]
    plain = name.lower().replace("-", "").replace("_", "")
    for own in __all__:
        thing = globals()[own]
        if own.lower() == plain and own not in _NO_NETWORKS and callable(thing):
            return thing
    return None


# EfficientNet wants its scale; the rest are tools.
_NO_NETWORKS = {"EfficientNet", "by_name", "compound_scaling", "decode_predictions", "find", "preprocess_input"}


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("applications")
