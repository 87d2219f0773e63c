"""The layers, under Keras's names."""

from fastcnn.layers.activation import (
    ELU,
    GELU,
    SELU,
    Activation,
    LeakyReLU,
    Linear,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Step,
    Tanh,
)
from fastcnn.layers.base import Call, Layer
from fastcnn.layers.conv import Conv2D
from fastcnn.layers.dense import Dense
from fastcnn.layers.depthwise import DepthwiseConv2D
from fastcnn.layers.dropout import Dropout
from fastcnn.layers.input import Input, InputLayer
from fastcnn.layers.merge import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from fastcnn.layers.norm import BatchNormalization
from fastcnn.layers.pool import (
    AveragePooling2D,
    AvgPool2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPool2D,
    MaxPooling2D,
)
from fastcnn.layers.reshape import Flatten, Reshape, ZeroPadding2D
from fastcnn.layers.symbolic import Tensor

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Call",
    "Concatenate",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "ReLU",
    "Reshape",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Step",
    "Subtract",
    "Tanh",
    "Tensor",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
