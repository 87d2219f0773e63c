"""The layers, under Keras's names."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.layers import operators as operators  # it fills the table of tensors' operators
from fastcnn.layers.activation import Activation, LogSoftmax, Softmax
from fastcnn.layers.activation_piecewise import (
    Clip,
    HardSigmoid,
    HardSiLU,
    LeakyReLU,
    Linear,
    ReLU,
    ReLU6,
    Step,
    ThresholdedReLU,
)
from fastcnn.layers.activation_smooth import CELU, ELU, GELU, SELU, Mish, Sigmoid, SiLU, Softplus, Softsign, Tanh
from fastcnn.layers.augmentation import (
    CenterCrop,
    CutMix,
    MixUp,
    RandAugment,
    RandomBrightness,
    RandomColorJitter,
    RandomContrast,
    RandomCrop,
    RandomElasticTransform,
    RandomErasing,
    RandomFlip,
    RandomGaussianBlur,
    RandomGrayscale,
    RandomHue,
    RandomNoise,
    RandomPCAColor,
    RandomPerspective,
    RandomRGBShift,
    RandomRotation,
    RandomSaturation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
    Resizing,
)
from fastcnn.layers.base import Call, Layer
from fastcnn.layers.batch_norm import BatchNormalization
from fastcnn.layers.conv import Conv1D, Conv2D, Conv3D
from fastcnn.layers.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from fastcnn.layers.dense import Dense
from fastcnn.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from fastcnn.layers.dot_product import Dot, dot
from fastcnn.layers.dropout import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from fastcnn.layers.elementwise import Abs, Ceil, Erf, Floor, IsZero, Log, Power, Reciprocal, Round, Sign, Sqrt
from fastcnn.layers.fitting import CropLike, PadToMultiple
from fastcnn.layers.function import Lambda
from fastcnn.layers.grid_sample import GridSample
from fastcnn.layers.group_norm import GroupNormalization, LayerNormalization
from fastcnn.layers.identity import ActivityRegularization, Identity
from fastcnn.layers.input import Input, InputLayer
from fastcnn.layers.layer_scale import LayerScale
from fastcnn.layers.local_response_norm import LocalResponseNormalization
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
from fastcnn.layers.padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Padding1D,
    Padding2D,
    Padding3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from fastcnn.layers.pool import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    L2Pooling1D,
    L2Pooling2D,
    L2Pooling3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    MinPooling1D,
    MinPooling2D,
    MinPooling3D,
)
from fastcnn.layers.pool_adaptive import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from fastcnn.layers.pool_global import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalL2Pooling1D,
    GlobalL2Pooling2D,
    GlobalL2Pooling3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    GlobalMinPooling1D,
    GlobalMinPooling2D,
    GlobalMinPooling3D,
)
from fastcnn.layers.prelu import PReLU
from fastcnn.layers.preprocessing import Normalization, Rescaling
from fastcnn.layers.quantized import QuantizedConv2D, QuantizedDense, QuantizeDequantize
from fastcnn.layers.regions import RoIAlign, RoIPooling
from fastcnn.layers.reshape import Flatten, Permute, RepeatVector, Reshape
from fastcnn.layers.resize import Resize
from fastcnn.layers.rrelu import RReLU
from fastcnn.layers.separable import SeparableConv1D, SeparableConv2D
from fastcnn.layers.serialization import deserialize, serialize
from fastcnn.layers.slice_take import Slice, Take
from fastcnn.layers.suppression import NonMaxSuppression
from fastcnn.layers.time_distributed import TimeDistributed
from fastcnn.layers.top_k import TopK
from fastcnn.layers.unit_norm import RMSNormalization, UnitNormalization
from fastcnn.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from fastcnn.layers.where import Where
from fastcnn.layers.wrapper import SpectralNormalization, Wrapper
from fastcnn.symbolic import Tensor

# Keras's other names of the classes.
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D

__all__ = [
    "CELU", "ELU", "GELU", "SELU", "Abs", "Activation", "ActivityRegularization", "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D",
    "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "BatchNormalization", "Call", "Ceil", "CenterCrop",
    "Clip", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
    "Convolution1D", "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose", "Convolution3D",
    "Convolution3DTranspose", "CropLike",
    "Cropping1D", "Cropping2D", "Cropping3D", "CutMix", "Dense", "DepthwiseConv1D",
    "DepthwiseConv2D", "Dot", "Dropout", "Erf", "Flatten", "Floor", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D",
    "GlobalAvgPool3D", "GlobalL2Pooling1D", "GlobalL2Pooling2D", "GlobalL2Pooling3D", "GlobalMaxPool1D",
    "GlobalMaxPool2D", "GlobalMaxPool3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "GlobalMinPooling1D", "GlobalMinPooling2D", "GlobalMinPooling3D", "GridSample", "GroupNormalization", "HardSiLU",
    "HardSigmoid", "Identity", "Input", "InputLayer", "IsZero", "L2Pooling1D", "L2Pooling2D", "L2Pooling3D", "Lambda",
    "Layer", "LayerNormalization", "LayerScale", "LeakyReLU", "Linear", "LocalResponseNormalization", "Log",
    "LogSoftmax", "MaxPool1D", "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Maximum",
    "MinPooling1D", "MinPooling2D", "MinPooling3D", "Minimum", "Mish", "MixUp", "Multiply", "NonMaxSuppression",
    "Normalization", "PReLU", "PadToMultiple",
    "Padding1D", "Padding2D", "Padding3D", "Permute", "Power", "QuantizeDequantize", "QuantizedConv2D",
    "QuantizedDense", "RMSNormalization", "RReLU",
    "RandAugment", "RandomBrightness", "RandomColorJitter", "RandomContrast", "RandomCrop", "RandomElasticTransform",
    "RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomNoise",
    "RandomPCAColor", "RandomPerspective", "RandomRGBShift", "RandomRotation", "RandomSaturation", "RandomShear",
    "RandomTranslation", "RandomZoom", "ReLU", "ReLU6", "Reciprocal", "RepeatVector", "Rescaling", "Reshape", "Resize",
    "Resizing", "RoIAlign", "RoIPooling", "Round", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D", "SiLU", "Sigmoid", "Sign", "Slice", "Softmax", "Softplus", "Softsign", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "SpectralNormalization", "Sqrt", "Step", "Subtract", "Take", "Tanh",
    "Tensor", "ThresholdedReLU", "TimeDistributed", "TopK", "UnitNormalization", "UpSampling1D", "UpSampling2D",
    "UpSampling3D", "Where", "Wrapper", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "add", "average",
    "concatenate", "deserialize", "dot", "maximum", "minimum", "multiply", "serialize", "subtract",
]


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("layers")
