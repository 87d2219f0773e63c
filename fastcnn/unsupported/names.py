"""Names of modules; by what there is instead."""

_RECURRENT = "layers for sequences are Conv1D, DepthwiseConv1D and poolings; there are no recurrent ones"
_PICTURES = "change pictures with NumPy or Pillow before fit; Rescaling and Normalization are layers"
_TEXT = "turn words into numbers before fit; there are no layers for text and tables"
_ATTENTION = "there is no attention yet; Dot, Softmax and Dense are what it is made of"
_REGISTER = "a class has get_config and from_config, and fc.saving.register_keras_serializable lets files name it"
_LOGGING = "give verbose= to fit"

FASTCNN = {
    "layers compute on the CPU; fc.config has the switches": "distribution",
    "fc.config.set_dtype_policy and dtype= say float32, float64 or mixed_bfloat16":
        "FloatDTypePolicy mixed_precision quantizers Quantizer",
    "fc.layers.Tensor is the class of symbolic tensors": "KerasTensor",
    "fc.Model(inputs, outputs) is made of layers": "Function Operation",
    "fc.__version__ is the version": "version",
    "fc.onnx.export writes a model for others": "export",
    "fc.utils.plot_model draws a model": "visualization",
    "call fit on the model": "wrappers distillation",
    "shapes are told by fc.Input": "InputSpec",
    "training keeps what its way back needs; use smaller batches": "RematScope remat",
    "names are given by name=": "name_scope",
    "datasets and utils have what there is": "preprocessing legacy",
    "fastcnn is NumPy and Numba, and has no hidden state": "StatelessScope SymbolicScope tree src",
}
LAYERS = {
    _RECURRENT: "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell "
                "StackedRNNCells Masking",
    _PICTURES: "AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization Equalization "
               "MaxNumBoundingBoxes RandomColorDegeneration "
               "RandomInvert RandomPosterization "
               "RandomSharpness Solarization",
    _TEXT: "CategoryEncoding Discretization Embedding ReversibleEmbedding HashedCrossing Hashing IntegerLookup "
           "StringLookup TextVectorization",
    "compute spectra with SciPy before fit": "MelSpectrogram STFTSpectrogram",
    _ATTENTION: "AdditiveAttention Attention GroupQueryAttention MultiHeadAttention EinsumDense",
    "fc.Sequential puts layers one after another": "Pipeline",
    "fc.onnx.load reads models of other libraries": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
    "shapes are told by fc.Input": "InputSpec",
}
LOSSES = {
    "there are no sequences of labels": "CTC ctc",
}
METRICS: dict[str, str] = {}  # all of Keras's are there
OPTIMIZERS = {
    "float32 and float64 do not need it": "LossScaleOptimizer",
    "fc.optimizers has the current ones": "legacy",
}
CALLBACKS = {
    "ModelCheckpoint keeps the model": "OrbaxCheckpoint",
    "CSVLogger writes a table, and a Callback of your own gets the logs": "RemoteMonitor",
    "give verbose=1 to fit": "ProgbarLogger",
}
INITIALIZERS = {
    "write one of your own (fc.initializers.Initializer), or set_weights": "STFT STFTInitializer stft",
}
REGULARIZERS: dict[str, str] = {}  # all of Keras's are there
ACTIVATIONS = {
    "multiply by a sigmoid, with layers.Multiply": "glu", "use softmax": "sparsemax",
}
UTILS = {
    _REGISTER: "deserialize_keras_object serialize_keras_object",
    "read files into arrays before fit":
        "audio_dataset_from_directory text_dataset_from_directory timeseries_dataset_from_array FeatureSpace "
        "pad_sequences",
    "layers and augmentation take boxes in arrays": "bounding_boxes",
    "plot_model draws": "model_to_dot",
    _LOGGING: "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled",
    "model.inputs tells": "get_source_inputs",
    "types are float32 and float64": "standardize_dtype",
    "a dict does it": "Config legacy",
}
DATASETS = {
    "there are digits, mnist, fashion_mnist, cifar10 and cifar100, and fc.datasets.load reads your own":
        "boston_housing california_housing imdb reuters",
}
APPLICATIONS: dict[str, str] = {}  # all of Keras's are there
SAVING = {
    _REGISTER: "deserialize_keras_object serialize_keras_object",
    "model.save_weights(path) writes them": "save_weights",
    "load_weights reads a file into a model": "KerasFileEditor",
}
MODELS: dict[str, str] = {}  # all of Keras's are there
RANDOM = {
    "numpy.random.default_rng(seed) draws": "beta binomial categorical gamma",
    "layers.Dropout does it": "dropout",
}
CONFIG = {
    "epsilon= of a layer, a loss or an optimizer says it": "set_epsilon",
    "images are channels-last": "set_image_data_format",
    "there is one, the CPU": "backend set_backend is_nnx_enabled",
    "there is no attention": "disable_flash_attention enable_flash_attention is_flash_attention_enabled",
    _LOGGING: "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled",
    "tracebacks are whole": "enable_traceback_filtering",
    "files hold no code": "enable_unsafe_deserialization",
    "fit has epochs=": "max_epochs max_steps_per_epoch set_max_epochs set_max_steps_per_epoch",
}
OPS = {
    "fc.ops.add, fc.ops.mean, ... are all in fc.ops itself": "numpy linalg",
    "compute with NumPy what has no derivative, outside of call":
        "append argpartition array_split bartlett bincount blackman cdist copy corrcoef correlate diag diagflat "
        "diagonal digitize dsplit dstack hsplit empty empty_like gcd geomspace hamming hanning histogram isin "
        "kaiser kron lcm logspace nextafter nonzero searchsorted signbit sinc tri unique unravel_index vander "
        "view vsplit",
    "fc.ops.convert_to_tensor makes an array": "array",
    "a tensor has dtype": "dtype",
    "fc.ops.stack and fc.ops.concatenate join tensors": "hstack vstack",
    "fc.ops.less(fc.ops.abs(x - y), tolerance) tells it": "allclose isclose",
    "fc.ops has sin, cos, tan, arctan and their hyperbolic sisters":
        "arccos arccosh arcsin arcsinh arctan2 arctanh deg2rad rad2deg hypot",
    "integers are no bits here; use NumPy outside of call":
        "bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor "
        "left_shift right_shift ldexp",
    "tensors are real": "angle conj conjugate imag isreal real polar view_as_complex view_as_real fft fft2 ifft2 irfft "
                        "istft rfft stft",
    "decompose matrices with NumPy or SciPy": "cholesky cholesky_inverse det eig eigh inv logdet lstsq lu_factor "
                                              "matrix_rank pinv qr slogdet solve solve_triangular svd",
    "call is asked once, so loops and conditions are Python's; fc.ops.where chooses by values":
        "associative_scan cond fori_loop map scan select switch vectorize vectorized_map while_loop",
    "fc.gradients has the derivatives of what is put together": "custom_gradient jvp",
    "fc.ops.power, fc.ops.exp, fc.ops.log, fc.ops.floor and fc.ops.where make it":
        "cbrt exp2 fabs fmax fmin fmod heaviside i0 logaddexp logaddexp2 nan_to_num trunc erfc erfinv isneginf "
        "isposinf saturate_cast",
    "fc.ops.where(fc.ops.isnan(x), 0, x) leaves NaN out": "nanargmax nanargmin nancumprod nancumsum nanmax nanmean "
                                                          "nanmedian nanmin nanpercentile nanprod nanquantile nanstd "
                                                          "nansum nanvar",
    "fc.ops.sort and fc.ops.take make it": "median percentile quantile ptp rot90 fliplr flipud trace tril triu",
    "fc.ops.multiply, fc.ops.sum and fc.ops.einsum make it": "cross inner outer vdot trapezoid diff cumprod rearrange",
    "fc.ops.take, fc.ops.where and fc.ops.one_hot choose entries": "in_top_k scatter scatter_update segment_max "
                                                                   "segment_min segment_prod segment_sum slice_update",
    "fc.ops.image.extract_patches has the windows of images": "extract_sequences fold unfold extract_patches_3d",
    "there is no attention yet; fc.ops.softmax and fc.ops.matmul make it": "dot_product_attention",
    "there are no sequences of labels": "ctc_decode ctc_loss",
    "fc.layers.AdaptiveAveragePooling2D is a layer": "adaptive_average_pool adaptive_max_pool",
    "fc.ops.softmax is dense": "sparsemax",
    "fc.layers has RandomAffine, GaussianBlur and more, for pictures":
        "affine_transform elastic_transform gaussian_blur hsv_to_rgb map_coordinates perspective_transform rgb_to_hsv "
        "scale_and_translate sobel_edges ssim",
}
