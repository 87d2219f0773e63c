"""Metrics beside Keras: the same batches, the same results, weighted and not."""

import inspect

import numpy as np
import pytest

import fastcnn as fc

keras = pytest.importorskip("keras")

# Keras makes tensors of its variables in a way that NumPy warns of.
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]

CLASSES = 6
draw = np.random.default_rng(0)


def _softmax(*shape):
    e = np.exp(2 * draw.standard_normal(shape))
    return (e / e.sum(-1, keepdims=True)).astype(np.float32)


def _batches(make, count=3):
    return [make() for _ in range(count)]


SPARSE = lambda: (draw.integers(0, CLASSES, 20), _softmax(20, CLASSES))
COLUMN = lambda: (draw.integers(0, CLASSES, (20, 1)), _softmax(20, CLASSES))
ONE_HOT = lambda: (np.eye(CLASSES, dtype=np.float32)[draw.integers(0, CLASSES, 20)], _softmax(20, CLASSES))
PIXELS = lambda: (draw.integers(0, CLASSES, (4, 3, 5)), _softmax(4, 3, 5, CLASSES))
REAL = lambda: (draw.standard_normal((20, 3)).astype(np.float32), draw.standard_normal((20, 3)).astype(np.float32))
BINARY = lambda: (draw.integers(0, 2, (20, 1)).astype(np.float32), draw.random((20, 1)).astype(np.float32))
LABELS = lambda: (draw.integers(0, 2, (20, 4)).astype(np.float32), draw.random((20, 4)).astype(np.float32))
LOGITS = lambda: (draw.integers(0, 2, (20, 1)).astype(np.float32), draw.standard_normal((20, 1)).astype(np.float32))
CLASS_LOGITS = lambda: (draw.integers(0, CLASSES, 20), draw.standard_normal((20, CLASSES)).astype(np.float32))
CALLED = lambda: (draw.integers(0, CLASSES, 40), draw.integers(0, CLASSES - 1, 40))

CASES = {
    "Accuracy": ({}, CALLED),
    "BinaryAccuracy": ({"threshold": 0.4}, BINARY),
    "BinaryAccuracy of labels": ({}, LABELS),
    "CategoricalAccuracy": ({}, ONE_HOT),
    "SparseCategoricalAccuracy": ({}, SPARSE),
    "SparseCategoricalAccuracy of a column": ({}, COLUMN),
    "SparseCategoricalAccuracy of pixels": ({}, PIXELS),
    "TopKCategoricalAccuracy": ({"k": 2}, ONE_HOT),
    "SparseTopKCategoricalAccuracy": ({"k": 3}, SPARSE),
    "SparseTopKCategoricalAccuracy of five": ({}, SPARSE),
    "MeanSquaredError": ({}, REAL),
    "RootMeanSquaredError": ({}, REAL),
    "MeanAbsoluteError": ({}, REAL),
    "MeanAbsolutePercentageError": ({}, REAL),
    "CosineSimilarity": ({}, REAL),
    "Precision": ({}, BINARY),
    "Precision at thresholds": ({"thresholds": [0.7, 0.2]}, LABELS),
    "Precision of a class": ({"class_id": 2, "thresholds": 0.3}, LABELS),
    "Precision of the largest": ({"top_k": 2}, ONE_HOT),
    "Precision of a class among the largest": ({"top_k": 2, "class_id": 1}, ONE_HOT),
    "Recall": ({}, BINARY),
    "Recall at thresholds": ({"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, LABELS),
    "Recall of the largest": ({"top_k": 3}, ONE_HOT),
    "TruePositives": ({}, LABELS),
    "FalsePositives": ({"thresholds": [0.3, 0.6]}, LABELS),
    "TrueNegatives": ({}, LABELS),
    "FalseNegatives": ({"thresholds": 0.9}, LABELS),
    "AUC": ({}, BINARY),
    "AUC of labels": ({"num_thresholds": 50, "label_weights": [0.1, 0.2, 0.3, 0.4]}, LABELS),
    "AUC of each label": ({"multi_label": True, "label_weights": [0.1, 0.2, 0.3, 0.4]}, LABELS),
    "AUC of each label alike": ({"multi_label": True, "curve": "PR"}, LABELS),
    "AUC of precision": ({"curve": "PR"}, BINARY),
    "AUC of precision, minoring": ({"curve": "PR", "summation_method": "minoring"}, BINARY),
    "AUC majoring": ({"summation_method": "majoring", "thresholds": [0.1, 0.35, 0.8]}, BINARY),
    "AUC of logits": ({"from_logits": True}, LOGITS),
    "F1Score": ({}, ONE_HOT),
    "F1Score of means": ({"average": "macro"}, ONE_HOT),
    "FBetaScore": ({"average": "weighted", "beta": 2.0, "threshold": 0.4}, LABELS),
    "FBetaScore of all": ({"average": "micro", "beta": 0.5}, ONE_HOT),
    "IoU": ({"num_classes": CLASSES, "target_class_ids": [0, 2]}, CALLED),
    "IoU of numbers": ({"num_classes": CLASSES, "target_class_ids": [1], "sparse_y_pred": False}, PIXELS),
    "MeanIoU": ({"num_classes": CLASSES}, CALLED),
    "MeanIoU without a class": ({"num_classes": CLASSES + 1, "ignore_class": 1}, CALLED),
    "OneHotIoU": ({"num_classes": CLASSES, "target_class_ids": [1, 3]}, ONE_HOT),
    "OneHotMeanIoU": ({"num_classes": CLASSES}, ONE_HOT),
    "R2Score": ({}, REAL),
    "R2Score of each": ({"class_aggregation": None}, REAL),
    "R2Score by variance, adjusted": ({"class_aggregation": "variance_weighted_average", "num_regressors": 4}, REAL),
    "BinaryCrossentropy": ({}, BINARY),
    "BinaryCrossentropy of labels": ({"label_smoothing": 0.2}, LABELS),
    "BinaryCrossentropy of logits": ({"from_logits": True}, LOGITS),
    "CategoricalCrossentropy": ({"label_smoothing": 0.1}, ONE_HOT),
    "SparseCategoricalCrossentropy": ({}, SPARSE),
    "SparseCategoricalCrossentropy of a column": ({}, COLUMN),
    "SparseCategoricalCrossentropy of logits": ({"from_logits": True}, CLASS_LOGITS),
    "SparseCategoricalCrossentropy of pixels": ({}, PIXELS),
    "BinaryIoU": ({"target_class_ids": [1], "threshold": 0.3}, BINARY),
}


# Weights of positions where a sample has several; of its IoU Keras wants no others.
WEIGHTED = [(case, weights) for case, (_, make) in CASES.items() for weights in ("", "samples", "positions")
            if (weights != "positions" or make is PIXELS)
            and not ("IoU" in case and weights == "samples" and make is PIXELS)]


@pytest.mark.parametrize(("case", "weights"), WEIGHTED)
def test_a_metric_is_kerass(case, weights):
    arguments, make = CASES[case]
    name = case.partition(" ")[0]
    ours, theirs = getattr(fc.metrics, name)(**arguments), getattr(keras.metrics, name)(**arguments)
    for y, p in _batches(make):
        w = None
        if weights:
            shape = y.shape if weights == "positions" else len(y)
            # Keras's counts of a confusion matrix are integers.
            w = draw.integers(0, 4, shape) if name.endswith("IoU") else draw.random(shape).astype(np.float32)
        ours.update_state(y, p, w)
        theirs.update_state(y, p, w)
        np.testing.assert_allclose(ours.result(), keras.ops.convert_to_numpy(theirs.result()), rtol=2e-5, atol=1e-6)
    ours.reset_state()
    theirs.reset_state()
    y, p = make()
    ours.update_state(y, p)
    theirs.update_state(y, p)
    np.testing.assert_allclose(ours.result(), keras.ops.convert_to_numpy(theirs.result()), rtol=2e-5, atol=1e-6)


def test_ignored_labels_are_left_out_as_keras_does_it_with_weights():
    """Without weights Keras's metric counts their positions with a loss of 0, where its loss leaves them out."""
    y, p = SPARSE()
    y[:5] = 2
    ours, theirs = (m.metrics.SparseCategoricalCrossentropy(ignore_class=2) for m in (fc, keras))
    theirs.update_state(y, p, np.ones(len(y)))
    assert ours(y, p) == pytest.approx(float(theirs.result()), rel=2e-5)
    theirs = keras.losses.SparseCategoricalCrossentropy(ignore_class=2)
    assert ours.result() == pytest.approx(float(theirs(y, p)), rel=2e-5)


def test_a_mean_is_kerass():
    ours, theirs = fc.metrics.Mean(), keras.metrics.Mean()
    for values, weights in ((3.0, None), (np.arange(4.0), None), (np.arange(3.0), np.array([1.0, 0.0, 2.0]))):
        ours.update_state(values, weights)
        theirs.update_state(values, weights)
        assert ours.result() == pytest.approx(float(theirs.result()))


OUR_OWN = {"ConfusionMatrix", "DiceScore", "ExpectedCalibrationError", "InstanceAP", "Masked", "MatthewsCorrelation",
           "MeanAveragePrecision", "PanopticQuality", "RecallAtK", "Verification"}  # others know them


def test_keras_has_no_metrics_of_these_names():
    assert not [name for name in OUR_OWN if hasattr(keras.metrics, name)]


@pytest.mark.parametrize("name", sorted(set(fc.metrics._CLASSES) - OUR_OWN))
def test_constructors_take_kerass_arguments_in_kerass_order_with_kerass_defaults(name):
    ours, theirs = (list(inspect.signature(getattr(m.metrics, name).__init__).parameters.values())[1:]
                    for m in (fc, keras))
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


VECTORS = ["Accuracy", "BinaryAccuracy", "MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError",
           "MeanAbsolutePercentageError", "CosineSimilarity", "Precision", "Recall", "AUC", "TruePositives",
           "FalseNegatives", "BinaryIoU"]


@pytest.mark.parametrize("form", [np.asarray, np.ndarray.tolist, lambda a: a[:, None], lambda a: a.astype("float64")])
@pytest.mark.parametrize("name", VECTORS)
def test_a_metric_of_vectors_is_kerass(name, form):
    y, p = draw.integers(0, 2, 9).astype(np.float32), draw.random(9).astype(np.float32)
    ours, theirs = (getattr(m.metrics, name)()(form(y), p) for m in (fc, keras))
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), rtol=2e-5)


@pytest.mark.parametrize("case", ["Precision", "Precision of the largest", "Recall", "Recall of the largest",
                                  "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "AUC",
                                  "AUC of each label", "AUC of precision", "F1Score", "FBetaScore", "BinaryAccuracy",
                                  "MeanSquaredError", "MeanAbsoluteError", "CosineSimilarity", "RootMeanSquaredError"])
@pytest.mark.parametrize("part", [0.3, 1.0])
def test_a_metric_of_nan_is_kerass_where_nan_exceeds_no_threshold(case, part):
    arguments, make = CASES[case]
    y, p = make()
    p = np.where(draw.random(p.shape) < part, np.float32(np.nan), p)
    name = case.partition(" ")[0]
    ours, theirs = (getattr(m.metrics, name)(**arguments)(y, p) for m in (fc, keras))
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), rtol=2e-5, atol=1e-6)
