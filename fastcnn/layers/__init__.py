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
from fastcnn.layers.conv import Conv1D, Conv2D, Conv3D
from fastcnn.layers.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from fastcnn.layers.dense import Dense
from fastcnn.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
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
from fastcnn.layers.separable import SeparableConv1D, SeparableConv2D
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
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "DepthwiseConv1D",
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
    "SeparableConv1D",
    "SeparableConv2D",
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
