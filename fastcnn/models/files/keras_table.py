"""How layers are called in Keras's files where Keras calls them otherwise: one table for reading and for writing."""

from typing import Any

#: The package in which Keras tells where a class of each kind is.
LAYERS, INITIALIZERS, REGULARIZERS, CONSTRAINTS = (
    f"keras.{kind}" for kind in ("layers", "initializers", "regularizers", "constraints"))

#: Classes of Keras's, and of its older versions, by what fastcnn calls them.
CLASSES = {"BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization"}
#: Layers within Keras's networks, whose classes have no public name.
HIDDEN = {"LayerScale": "keras.src.applications.convnext"}
#: Layers that fastcnn has and Keras has not: in a file of Keras's such a name is of somebody's own class.
NOT_KERAS = frozenset((
    "Abs", "CELU", "Ceil", "Clip", "CropLike", "Erf", "Floor", "GELU", "HardSiLU", "HardSigmoid", "IsZero", "Linear",
    "GridSample", "LocalResponseNormalization", "Log", "LogSoftmax", "Mish", "NonMaxSuppression", "Power", "RReLU",
    "PadToMultiple", "QuantizeDequantize", "QuantizedConv2D", "QuantizedDense", "ReLU6", "RoIAlign", "RoIPooling",
    "RandomPCAColor", "RandomRGBShift", "Reciprocal", "RandomNoise", "Resize", "Round",
    "SELU", "SiLU", "Sigmoid", "Sign", "Slice", "Softplus", "Softsign", "Sqrt", "Step", "Take", "Tanh", "TopK", "Where",
    *(f"{kind}{n}D" for kind in ("GlobalL2Pooling", "GlobalMinPooling", "L2Pooling", "MinPooling", "Padding")
      for n in (1, 2, 3))))  # fmt: skip

#: Layers that keep the kernel of the layer that they wrap beside their own weights, once more.
KEEPS_THE_KERNEL = frozenset(("SpectralNormalization",))
#: Layers that are a base in Keras, without a call.
BASES = frozenset(("Wrapper",))

#: Arguments that Keras calls otherwise, by class and by Keras's name.
ARGUMENTS = {"LeakyReLU": {"alpha": "negative_slope"}}
#: Arguments that fastcnn's layers lack, with the value of each that says nothing.
SILENT: dict[str, Any] = {"sparse": False, "ragged": False, "optional": False, "groups": 1, "autocast": True}
#: Arguments that Keras's layers lack: left out of a file where they have the value that they have by default.
OURS = frozenset(("ceil_mode", "count_include_pad", "bounding_box_format"))
OURS_BY_CLASS: dict[str, frozenset[str]] = {
    **{f"{kind}Pooling{n}D": frozenset(("dilation_rate",)) for kind in ("Average", "Max") for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": frozenset(("groups",)) for n in (1, 2, 3)},
    **{name: frozenset(("data_format",)) for name in ("RandomBrightness", "RandomContrast")},
    "LayerNormalization": frozenset(("rms_scaling",)), "UnitNormalization": frozenset(("epsilon",)),
}  # fmt: skip

#: Arguments that Keras's layer says by others, or not at all.
LEFT_OUT = {f"SpatialDropout{n}D": frozenset(("trainable", "noise_shape")) for n in (1, 2, 3)}
#: Paddings that Keras's layer does not take.
NO_PADDINGS = {"SeparableConv1D": ("causal",)}

#: The activations that Keras knows by name. Its "gelu" is the exact one.
ACTIVATIONS = frozenset((
    "linear", "relu", "relu6", "sigmoid", "hard_sigmoid", "tanh", "leaky_relu", "elu", "selu", "celu", "silu", "swish",
    "hard_silu", "hard_swish", "mish", "gelu", "softplus", "softsign", "exponential", "hard_tanh", "tanh_shrink",
    "soft_shrink", "hard_shrink", "log_sigmoid", "squareplus", "sparse_plus", "sparse_sigmoid", "softmax",
    "log_softmax", "glu", "sparsemax"))  # fmt: skip
#: Activations with a parameter, which are layers there: class and argument.
PARAMETRIC = {"leaky_relu": ("LeakyReLU", "negative_slope"), "elu": ("ELU", "alpha"), "softmax": ("Softmax", "axis")}

#: Layers of one input that are operations there, without arguments: module and class.
_NUMPY, _NN, _MATH = (f"keras.src.ops.{room}" for room in ("numpy", "nn", "math"))
OPERATIONS = {
    "Abs": (_NUMPY, "Absolute"), "Sqrt": (_NUMPY, "Sqrt"), "Log": (_NUMPY, "Log"), "Sign": (_NUMPY, "Sign"),
    "Reciprocal": (_NUMPY, "Reciprocal"), "Floor": (_NUMPY, "Floor"), "Ceil": (_NUMPY, "Ceil"), "Erf": (_MATH, "Erf"),
    "Round": (_NUMPY, "Round"),
}  # fmt: skip
#: Primitives of `fastcnn.ops` that have one operation of Keras's each.
PRIMITIVES = {
    "add": (_NUMPY, "Add"), "subtract": (_NUMPY, "Subtract"), "multiply": (_NUMPY, "Multiply"),
    "divide": (_NUMPY, "Divide"), "maximum": (_NUMPY, "Maximum"), "minimum": (_NUMPY, "Minimum"),
    "power": (_NUMPY, "Power"), "mod": (_NUMPY, "Mod"), "floor_divide": (_NUMPY, "FloorDivide"),
    "matmul": (_NUMPY, "Matmul"), "where": (_NUMPY, "Where"),
}  # fmt: skip
#: What a primitive is told that decides which operation it is.
BY_WORD = {
    "function": {**{word: (_NUMPY, word.capitalize()) for word in (
        "sqrt", "log", "reciprocal", "sign", "round", "floor", "ceil", "sin", "cos", "arctan", "log1p", "square",
        "expm1", "exp", "tanh")}, "abs": (_NUMPY, "Absolute"), "erf": (_MATH, "Erf")},
    "reduce": {word: (_NUMPY, word.capitalize()) for word in ("sum", "mean", "max", "min", "prod")},
    "truth": {word: (_NUMPY, word.capitalize()) for word in ("any", "all")},
    "place": {word: (_NUMPY, word.capitalize()) for word in ("argmax", "argmin")},
    "compare": {word: (_NUMPY, "".join(part.capitalize() for part in word.split("_"))) for word in (
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
}  # fmt: skip
#: Initializers that Keras lacks.
NO_INITIALIZERS = frozenset(("PatchWhitening",))
#: Losses, metrics and schedules that Keras lacks.
NO_OBJECTS = frozenset((
    "BoxCIoU", "BoxDIoU", "BoxGIoU", "BoxIoU", "ByEpoch", "ConfusionMatrix", "Contrastive", "DiceScore",
    "ExpectedCalibrationError", "InstanceAP", "InverseSquareRootDecay", "JointLoss", "Masked",
    "MaskedBinaryCrossentropy", "MatthewsCorrelation", "MeanAveragePrecision", "MeanMetric", "OneCycle",
    "PanopticQuality", "RecallAtK", "RootMeanSquaredError", "SuitingCrossentropy", "Triplet", "Verification",
    "WarmUp"))  # fmt: skip
#: The metrics of that name that Keras has all the same.
OBJECTS_OF = {"keras.metrics": frozenset(("RootMeanSquaredError",))}
#: Names of metrics that Keras does not know; it knows their classes.
NO_WORDS = frozenset(("binary_iou", "fbeta_score", "kld", "log_cosh", "logcosh", "rmse", "KLD", "RMSE"))
