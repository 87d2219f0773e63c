"""ONNX's own backend suite, all of it but what stands in `LEFT_OUT` with a reason.

What is left out must still fail: an entry that passes now is stale, and fails the run.
"""

import re
import warnings

import pytest

pytest.importorskip("onnx")

import onnx.backend.test

from fastcnn.onnx import backend

RECURRENT = "recurrent networks are no part of a CNN engine"
TEXT = "operators on strings are no part of a CNN engine"
SIGNAL = "transforms of signals are no part of a CNN engine"
TREES = "the domain ai.onnx.ml is about trees and feature tables"
SAMPLED = "no layer moves its window by data, or sums up columns into images"
INLINER = "onnx's inliner fails where a function's optional input is left out; the test's expanded form passes"

LEFT_OUT = {
    r"^(gru|lstm|rnn|simple_rnn)_": RECURRENT,
    r"^string_|^strnorm|^regex_|^tfidf": TEXT,
    r"^(dft|stft|melweightmatrix)": SIGNAL,
    r"^ai_onnx_ml_": TREES,
    r"deform_conv_with|^col2im": SAMPLED,
    r"^image_decoder_": "decoding files is the image reader's part (fastcnn.datasets)",
    r"^bernoulli": "compares numbers drawn by NumPy's generator of the test's day",
    r"^gradient_of_": "layers have backward passes of their own; graphs with Gradient nodes come from no exporter",
    r"^scan_sum$": "Scan of operator set 8, which had a batch of its own and was withdrawn",
    r"^loop16_seq_none$": "the state is an optional sequence that is absent",
    r"^attention_4d_causal_fp16": "differs in the last bit of a half-precision intermediate result",
    r"^attention_4d_(causal_nonpad|causal_padded_kv|diff_heads_mask4d_padded_kv|gqa_causal_nonpad|padded_kv)"
    r"(?!.*expanded)": INLINER,
    r"^attention_4d_causal_with_past_and_present$|^attention_local_window_(ext_cache|with_past)(?!.*expanded)": INLINER,
    r"^causal_conv_with_state_(silu_)?with_past_state$": INLINER,
    r"^linear_attention_(?!.*expanded)(delta|explicit_scale|fp16|gated)": INLINER,
}

# What must not be left out: the operators a CNN is made of, the whole models, those converted from PyTorch.
REQUIRED = re.compile(
    r"^(basic_conv_|conv_|convtranspose|maxpool|averagepool|lppool|global|maxunpool|batchnorm|instancenorm|"
    r"layer_normalization|group_normalization|lrn|dropout|training_dropout|relu|leakyrelu|prelu|elu|selu|celu|sigmoid|"
    r"hardsigmoid|hardswish|swish|mish|gelu|softplus|softsign|tanh|hardmax|shrink|thresholdedrelu|erf|softmax|"
    r"logsoftmax|gemm|matmul_|flatten|reshape|transpose|concat|split|slice|(constant|edge|reflect|wrap)_pad|resize|upsample|squeeze|unsqueeze|"
    r"reduce_|add|sub|mul|div|pow|mod|clip|argmax|argmin|sce_|nllloss|nonmaxsuppression|depthtospace|spacetodepth|"
    r"shape|size|gather|constant|identity|sum|mean|max|min|cast|where|expand|tile|adam|adagrad|momentum|nesterov|"
    r"(dynamic)?quantizelinear|dequantizelinear|qlinear|convinteger|matmulinteger|"
    r"bvlc_alexnet|densenet121|inception_v|resnet50|shufflenet|squeezenet|vgg19|zfnet512|"
    r"(AvgPool|BatchNorm|Conv|Embedding|GLU|Linear|LogSoftmax|MaxPool|PReLU|PixelShuffle|Softmax|ZeroPad|operator_))")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the suite computes its data now, overflows included
    _cases = onnx.backend.test.BackendTest(backend.FastcnnBackend, __name__).test_cases


def _short(name):
    return name.removeprefix("test_").removesuffix("_cpu")


def _split():
    """Take the tests of other devices and those left out from the classes, and return the latter by pattern."""
    left_out = {pattern: [] for pattern in LEFT_OUT}
    for case in _cases.values():
        for name in [name for name in vars(case) if name.startswith("test_")]:
            pattern = next((p for p in LEFT_OUT if re.search(p, _short(name))), None)
            if not name.endswith("_cpu"):
                delattr(case, name)
            elif pattern is not None:
                left_out[pattern].append((name, getattr(case, name)))
                delattr(case, name)
    return left_out


_left_out = _split()
for _large in ("alexnet", "vgg19", "zfnet512"):  # of 60 to 140 million weights
    for _name, _run in vars(_cases["OnnxBackendRealModelTest"]).items():
        if _large in _name:
            pytest.mark.slow(_run)
globals().update(_cases)


@pytest.fixture(autouse=True)
def _models_in_a_folder_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("ONNX_MODELS", str(tmp_path))


@pytest.mark.parametrize("pattern", LEFT_OUT)
def test_what_is_left_out_still_fails(pattern):
    assert _left_out[pattern], "no test has such a name any more"
    assert [name for name, run in _left_out[pattern] if _passes(run)] == [], "take what passes out of LEFT_OUT"


def _passes(run):
    try:
        run(None)
    except Exception:
        return False
    return True


def test_nothing_that_a_cnn_is_made_of_is_left_out():
    names = [_short(name) for tests in _left_out.values() for name, _ in tests]
    assert [name for name in names if REQUIRED.search(name)] == []


def test_the_suite_is_as_large_as_it_should_be():
    count = sum(name.startswith("test_") for case in _cases.values() for name in vars(case))
    left_out = sum(map(len, _left_out.values()))
    assert count > 7 * left_out
