"""What of Keras's tests is not fastcnn's business, each with its reason: by the test, by a name, by an error.

A test that passes counts as passed, whatever stands here.
"""

import re
from typing import NamedTuple

from tests.peers.keras_tests.names import NotThere


class Rule(NamedTuple):
    """A reason, and patterns that a test's id, the name it lacks, or the error's text has."""

    reason: str
    tests: str = ""
    lacks: str = ""
    errors: str = ""


RULES = (
    Rule("images are channels-last", tests=r"channels_first|channel_first|CHANNELS_FIRST",
         errors=r"channels_first|channels-last"),
    Rule("sizes left open", tests=r"dynamic_(shape|batch|size)|unknown_(shape|dim)|undefined_shape|_dynamic|none_shape",
         errors=r"a size that varies"),
    Rule("TensorFlow, JAX, grain", tests=r"tf_data|_tf_|tensorflow|jax|grain|tf_dataset|_in_tf",
         lacks=r"^(tensorflow|jax|grain|tf_keras|litert|flax)", errors=r"No module named '(tensorflow|jax|grain)"),
    Rule("quantization", tests=r"quantiz|int8|int4|gptq|awq|float8|fp8|lora",
         lacks=r"quantiz|lora", errors=r"quantiz|lora"),
    Rule("sparse and ragged tensors", tests=r"sparse_(tensor|input)|ragged|optimizer_sparse",
         lacks=r"[sS]parse|[rR]agged", errors=r"sparse or ragged|sparse=|ragged="),
    Rule("half precision", tests=r"float16|bfloat16|mixed_precision|autocast|loss_scale_optimizer",
         lacks=r"Autocast|LossScale",
         errors=r"float16|half precision|autocast"),
    Rule("masks", tests=r"mask", lacks=r"mask", errors=r"mask"),
    Rule("text, audio and tables", tests=r"text_dataset|audio_dataset|timeseries|sequence_utils|TextVectorization",
         lacks=r"Embedding|LSTM|GRU|StringLookup|IntegerLookup|TextVectorization|Masking|MultiHeadAttention|RNN"
               r"|TimeDistributed|EinsumDense|FeatureSpace"),
    Rule("distribution", lacks=r"distribution|DeviceMesh", tests=r"distribut"),
    Rule("internals of Keras",
         tests=r"utils/(tracking|python_utils|code_stats|naming|dtype_utils|io_utils|backend_utils|jax_layer|torch_utils|"
               r"file_utils)|trainers/(epoch_iterator|compile_utils|data_adapters)|saving/(file_editor|serialization_lib)"
               r"|models/variable_mapping",
         lacks=r"backend\.(common|torch|tensorflow|jax|openvino|numpy)\.|backend\.(compute_output_spec|device|name_scope"
               r"|StatelessScope|set_)|ops\.(operation|node|function|symbolic)|tree\.|remat|Remat|global_state"
               r"|_utils\.|validate_float_arg|_adapter|operation_utils|stateless"),
    Rule("SciPy's, torch's or other libraries", errors=r"No module named"),
)


def reason(test: str, error: BaseException | None) -> str | None:
    """Return why a test that did not pass is outside; None if it is inside.

    Parameters
    ----------
    test : str
        ``layers/pooling/max_pooling_test.py::Class.test_name``.
    error : exception, optional
    """
    text = "" if error is None else str(error)
    for rule in RULES:
        if rule.tests and re.search(rule.tests, test):
            return rule.reason
        if isinstance(error, NotThere):
            if rule.lacks and re.search(rule.lacks, text):
                return rule.reason
        elif error is not None and rule.errors and re.search(rule.errors, text):
            return rule.reason
    return None
