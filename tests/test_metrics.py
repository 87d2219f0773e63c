"""Metrics as a user meets them: names, weights, shapes, configurations, errors. tests/peers has values beside Keras."""

import copy
import json
import pickle

import numpy as np
import pytest

import fastcnn as fc

Y = np.array([0, 1, 2, 2])
P = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.2, 0.3], [0.1, 0.2, 0.7]], np.float32)
ARGUMENTS = {"IoU": (3, [0, 1]), "MeanIoU": (3,), "OneHotIoU": (3, [0]), "OneHotMeanIoU": (3,),
             "Masked": (fc.metrics.BinaryAccuracy(),),
             **dict.fromkeys(("PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity",
                              "SpecificityAtSensitivity"), (0.5,))}


def _made(name):
    return fc.metrics._CLASSES[name](*copy.deepcopy(ARGUMENTS.get(name, ())))


@pytest.mark.parametrize("name", fc.metrics._CLASSES)
def test_a_metric_survives_its_configuration(name):
    metric = _made(name)
    again = fc.metrics.get(json.loads(json.dumps(fc.metrics.serialize(metric))))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    assert fc.metrics.get(metric) is metric


#: Metrics of boxes, instances and embeddings have tests in files of their own: they take no rows of probabilities.
OF_OTHER_THINGS = {"InstanceAP", "MeanAveragePrecision", "PanopticQuality", "RecallAtK", "Verification"}


@pytest.mark.parametrize("name", sorted(set(fc.metrics._CLASSES) - {"MeanAveragePrecision", "Verification"}))
def test_a_metric_of_nothing_is_nought(name):  # but -1 as COCO has it, and NaN where there is no rate
    result = _made(name).result()
    assert not np.any(result)


@pytest.mark.parametrize(("metric", "kind"), [
    ("mae", "MeanAbsoluteError"), ("AUC", "AUC"), ("recall", "Recall"), (fc.metrics.Precision, "Precision")])
def test_a_name_gives_a_metric(metric, kind):
    got = fc.metrics.get(metric)
    assert type(got).__name__ == kind
    if isinstance(metric, str) and metric.islower():
        assert got.name == metric


@pytest.mark.parametrize("name", ["accuracy", "acc", "Accuracy"])
def test_accuracy_is_the_one_that_suits_the_shapes(name):
    metric = fc.metrics.get(name)
    assert metric.name == name
    rows, yes = np.eye(3)[Y], np.array([1, 0, 1, 1])
    for y, p, kind in ((Y, P, "SparseCategoricalAccuracy"), (Y[:, None], P, "SparseCategoricalAccuracy"),
                       (rows, P, "CategoricalAccuracy"), (yes, P[:, :1], "BinaryAccuracy"),
                       (yes[:, None], P[:, :1], "BinaryAccuracy"),
                       (Y.reshape(2, 2), P.reshape(2, 2, 3), "SparseCategoricalAccuracy")):
        metric.reset_state()
        assert metric(y, p) == getattr(fc.metrics, kind)()(y, p)
    again = fc.metrics.get(json.loads(json.dumps(fc.metrics.serialize(metric))))
    assert again(Y, P) == metric(Y, P) == 0.75


@pytest.mark.parametrize("kind", ["BinaryAccuracy", "Precision", "Recall", "AUC", "BinaryCrossentropy"])
@pytest.mark.parametrize("unknown", [-1.0, np.nan])
def test_unknown_labels_are_left_out_of_a_masked_metric(kind, unknown):
    rng = np.random.default_rng(3)
    p, weights = rng.random((60, 4)), rng.random(60)
    t = (rng.random((60, 4)) < 0.4).astype(float)
    known = rng.random((60, 4)) < 0.7
    plain, masked = (getattr(fc.metrics, kind)() for _ in range(2))
    masked = fc.metrics.Masked(masked, unknown)
    for own in (None, weights):
        of_known = None if own is None else np.repeat(own, 4).reshape(60, 4)[known]
        expected = plain(t[known][:, None], p[known][:, None], of_known)
        assert masked(np.where(known, t, unknown), p, own) == expected
    halves = [fc.metrics.get(fc.metrics.serialize(masked)) for _ in range(2)]
    for one, half in zip(halves, (slice(0, 17), slice(17, 60)), strict=True):
        one.update_state(np.where(known, t, unknown)[half], p[half])
    halves[0].merge_state(halves[1:])
    plain.reset_state()
    assert halves[0].result() == pytest.approx(plain(t[known][:, None], p[known][:, None]), abs=1e-12)
    again = fc.metrics.get(fc.metrics.serialize(masked))
    again.set_state(halves[0].get_state())
    assert again.result() == halves[0].result()
    assert (masked.name, masked.direction) == (f"masked_{masked.metric.name}", plain.direction)
    again.reset_state()
    again.update_state(np.full((3, 4), unknown), p[:3])  # nothing is known
    assert again.result() == 0


def test_a_mask_wants_a_metric_and_one_that_is_missing_is_told():
    with pytest.raises(fc.errors.ArgumentError, match=r"Masked: expected a metric such as .*, got 'auc'"):
        fc.metrics.Masked("auc")
    model = fc.Sequential([fc.Input((2,)), fc.layers.Dense(2, activation="sigmoid")])
    x, y = np.ones((4, 2), "float32"), np.array([[1, -1], [0, 1], [1, 0], [0, 0]], "float32")
    model.compile(loss=fc.losses.MaskedBinaryCrossentropy(), metrics=["accuracy"])
    with pytest.warns(UserWarning, match=r"expected metrics that leave out unknown labels, -1, .* got accuracy"):
        model.evaluate(x, y, verbose=0)
    model.compile(loss=fc.losses.MaskedBinaryCrossentropy(), metrics=[fc.metrics.Masked(fc.metrics.BinaryAccuracy())])
    model.evaluate(x, y, verbose=0)  # warnings are errors in the tests


def test_two_metrics_of_one_class_have_names_of_their_own():
    fc.utils.clear_session()
    assert [fc.metrics.Precision().name, fc.metrics.Precision().name] == ["precision", "precision_1"]
    assert fc.metrics.MeanIoU(3).name == "mean_io_u"
    assert fc.metrics.AUC().name == "auc"


def test_a_function_is_a_metric():
    def worst(y_true, y_pred):
        return np.abs(y_true - y_pred).max(-1)

    metric = fc.metrics.get(worst)
    assert metric.name == "worst"
    assert metric(np.zeros((2, 2)), np.array([[1.0, 2], [0, 4]])) == 3
    assert metric(np.zeros((1, 2)), np.array([[6.0, 2]]), np.array([2.0])) == pytest.approx((2 + 4 + 2 * 6) / 4)


def test_weights_count_and_a_call_gives_the_result_so_far():
    metric = fc.metrics.SparseCategoricalAccuracy()
    assert metric(Y, P) == 0.75
    metric.reset_state()
    assert metric(Y[:, None], P, np.array([1, 1, 2, 0])) == 0.5
    assert metric(Y[:2], P[:2]) == pytest.approx(4 / 6)


def test_what_cannot_be_is_refused():
    m = fc.metrics
    for make, message in (
            (lambda: m.get("acuracy"), "did you mean 'accuracy'"),
            (lambda: m.AUC(curve="XY"), "curve='XY' is not offered"),
            (lambda: m.AUC(summation_method="x"), "summation_method='x' is not known"),
            (lambda: m.AUC(num_thresholds=1), "expected num_thresholds of at least 2, got 1"),
            (lambda: m.AUC(multi_label=True).update_state(Y, Y), r"expected outputs \(N, labels\) with multi_label"),
            (lambda: m.Recall(thresholds=2), "expected thresholds from 0 to 1, got 2"),
            (lambda: m.IoU(2, [2]), r"expected target_class_ids within 0\.\.1, got \[2\]"),
            (lambda: m.F1Score(average="mean"), "average='mean' is not known"),
            (lambda: m.FBetaScore(beta=0.0), r"expected a positive number for beta, got 0\.0"),
            (lambda: m.F1Score().update_state(Y, P), r"expected targets and outputs \(N, classes\)"),
            (lambda: m.MeanSquaredError(dtype="float16"), "the dtype 'float16' is not offered"),
            (lambda: m.MeanSquaredError().update_state(Y, P), r"expected targets of shape \(4, 3\), got \(4,\)"),
            (lambda: m.MeanSquaredError().update_state(P, P.T), r"expected targets of shape \(3, 4\), got \(4, 3\)"),
            (lambda: m.CategoricalAccuracy().update_state(Y, P), r"expected targets of shape \(4, 3\), got \(4,\)"),
            (lambda: m.SparseCategoricalAccuracy().update_state(Y, P, np.ones(3)), r"sample_weight of shape \(4,\)"),
            (lambda: m.Precision(class_id=0).update_state(Y, P[:, 0]), r"class_id=0 among the classes, got \(4,\)"),
            (lambda: m.RecallAtPrecision(1.5), r"expected precision from 0 to 1, got 1\.5"),
            (lambda: m.ConfusionMatrix(1), "expected num_classes of at least 2, got 1"),
            (lambda: m.ConfusionMatrix(normalize="rows"), "normalize: 'rows' is not known; known are"),
            (lambda: m.ConfusionMatrix(4)(Y, P), "expected outputs for 4 classes, or integers .*, got outputs for 3"),
            (lambda: m.ConfusionMatrix()(Y + 1, P), "expected targets from 0 to 2, the classes that there are, got 3"),
            (lambda: m.ConfusionMatrix(3)(Y, Y - 1), "expected outputs from 0 to 2, .*, got -1"),
            (lambda: m.MatthewsCorrelation()(Y[:3], P), r"expected targets of shape \(4,\), got \(3,\)"),
            (lambda: m.SparseCategoricalCrossentropy()(Y - 1, P), "expected targets from 0 to 2, .*, got -1"),
            (lambda: m.R2Score("mean"), "class_aggregation='mean' is not known"),
            (lambda: m.R2Score(num_regressors=-1), "expected num_regressors of at least 0, got -1"),
            (lambda: m.R2Score()(P[None], P[None]), r"expected outputs \(N, outputs\), got \(1, 4, 3\)"),
            (lambda: m.ExpectedCalibrationError(0), "expected num_bins of at least 1, got 0")):
        with pytest.raises(fc.errors.ArgumentError, match=message):
            make()


NAN = np.full((4, 3), np.nan, np.float32)
BINARY, SOME = np.array([1, 1, 0, 0]), np.array([np.nan, 0.9, np.nan, 0.1], np.float32)


@pytest.mark.parametrize("metric", [
    fc.metrics.CategoricalAccuracy(), fc.metrics.TopKCategoricalAccuracy(1), fc.metrics.TopKCategoricalAccuracy(3),
    fc.metrics.TopKCategoricalAccuracy(9), fc.metrics.Precision(), fc.metrics.Recall(), fc.metrics.Precision(top_k=1),
    fc.metrics.Recall(top_k=3), fc.metrics.Recall(class_id=2), fc.metrics.AUC(), fc.metrics.AUC(curve="PR"),
    fc.metrics.AUC(multi_label=True), fc.metrics.F1Score(), fc.metrics.FBetaScore(threshold=0.01),
    fc.metrics.OneHotIoU(3, [0]), fc.metrics.OneHotMeanIoU(3), fc.metrics.TruePositives(), fc.metrics.FalsePositives(),
    fc.metrics.MatthewsCorrelation(), fc.metrics.get("accuracy")], ids=lambda metric: metric.name)
def test_a_diverged_network_scores_nothing(metric):
    assert not np.any(metric(np.eye(3)[[0, 0, 1, 2]], NAN))


@pytest.mark.parametrize("metric", [
    fc.metrics.SparseCategoricalAccuracy(), fc.metrics.SparseTopKCategoricalAccuracy(5),
    fc.metrics.MeanIoU(3, sparse_y_pred=False), fc.metrics.get("accuracy")], ids=lambda metric: metric.name)
@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [-1, 2, 2, 2]])
def test_nan_is_no_class_and_no_ignored_one(metric, labels):
    metric.reset_state()
    assert metric(np.array(labels), NAN) == 0


def test_a_row_with_nan_is_wrong_and_the_others_count_as_they_did():
    p = P.copy()
    p[1, 0] = np.nan  # the second of three hits; NaN counts as the largest
    assert fc.metrics.SparseCategoricalAccuracy()(Y, P) == 0.75
    assert fc.metrics.SparseCategoricalAccuracy()(Y, p) == 0.5
    assert fc.metrics.CategoricalAccuracy()(np.eye(3)[Y], p) == 0.5
    assert fc.metrics.SparseTopKCategoricalAccuracy(1)(Y, p) == 0.5
    assert fc.metrics.SparseTopKCategoricalAccuracy(2)(Y, p) == 1
    p[1] = [0.2, np.nan, 0.3]
    assert fc.metrics.SparseTopKCategoricalAccuracy(3)(Y, p) == 0.75
    assert fc.metrics.MeanIoU(3)(np.array([0, 1, 1, 2]), np.array([0, 1, np.nan, 2])) == pytest.approx(2.5 / 3)
    weighted = fc.metrics.MeanIoU(3)(np.array([0, 1, 1, 2]), np.array([0, 1, np.nan, 2]), np.array([1, 1, 3, 1]))
    assert weighted == pytest.approx(2.25 / 3)


def test_nan_exceeds_no_threshold():
    for metric, result in ((fc.metrics.TruePositives(), 1), (fc.metrics.FalsePositives(), 0),
                           (fc.metrics.TrueNegatives(), 2), (fc.metrics.FalseNegatives(), 1),
                           (fc.metrics.Precision(), 1), (fc.metrics.Recall(), 0.5), (fc.metrics.AUC(), 0.25)):
        assert metric(BINARY, SOME) == pytest.approx(result, abs=1e-6)


@pytest.mark.parametrize("metric", ["mse", "mae", "mape", "rmse", "cosine_similarity", "binary_crossentropy",
                                    "categorical_crossentropy", "crossentropy", "r2_score",
                                    "expected_calibration_error"])
def test_an_error_of_nan_is_nan(metric):
    assert np.isnan(fc.metrics.get(metric)(np.eye(3)[Y], NAN))


def test_a_class_that_was_lost_to_nan_is_seen_in_the_matrix_and_the_correlation():
    p = P.copy()
    p[1, 0] = np.nan
    for normalize in (None, "true", "pred", "all"):
        matrix = fc.metrics.ConfusionMatrix(normalize=normalize)(Y, p)
        assert np.isnan(matrix[1]).all()
        assert not np.isnan(matrix[0]).all() or normalize in ("pred", "all")
    right, lost = np.eye(3)[Y].astype("float32"), np.eye(3)[Y].astype("float32")
    lost[3] = np.nan
    assert fc.metrics.MatthewsCorrelation()(Y, right) == 1
    assert 0 < fc.metrics.MatthewsCorrelation()(Y, lost) < 0.9
    assert fc.metrics.MatthewsCorrelation()(BINARY, SOME) < fc.metrics.MatthewsCorrelation()(BINARY, [0, 1, 0, 0])


def test_the_matrix_takes_targets_and_outputs_in_every_form():
    expected = [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    for y in (Y, Y[:, None], np.eye(3)[Y], Y.astype("uint8"), Y.tolist()):
        np.testing.assert_array_equal(fc.metrics.ConfusionMatrix()(y, P), expected)
    np.testing.assert_array_equal(fc.metrics.ConfusionMatrix(3)(Y, P.argmax(-1)), expected)
    np.testing.assert_array_equal(fc.metrics.ConfusionMatrix()(Y.reshape(2, 2), P.reshape(2, 2, 3)), expected)
    for yes in ([0.9, 0.4, 0.7], np.array([[0.9], [0.4], [0.7]], "float32")):
        np.testing.assert_array_equal(fc.metrics.ConfusionMatrix()([1, 1, 0], yes), [[0, 1], [1, 1]])
    by_row = fc.metrics.ConfusionMatrix(normalize="true")
    np.testing.assert_array_equal(by_row(Y[:2], P[:2]), np.diag([1, 1, 0]), "a class that did not occur")
    assert fc.metrics.ConfusionMatrix(4).result().shape == (4, 4)
    for only in (np.zeros(4, int), np.full(4, 2)):
        assert fc.metrics.MatthewsCorrelation()(only, P) == 0, "targets of one class"


@pytest.mark.parametrize("name", ["confusion_matrix", "matthews_correlation", "r2_score", "log_loss", "crossentropy",
                                  "categorical_crossentropy", "expected_calibration_error"])
def test_a_training_reports_metrics_by_name(name):
    model = fc.Sequential([fc.Input((4,)), fc.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[name])
    x = np.random.default_rng(2).standard_normal((12, 4)).astype("float32")
    y = np.eye(3, dtype="float32")[np.arange(12) % 3]
    found = model.fit(x, y, batch_size=12, verbose=2).history[name][0]
    assert np.all(np.isfinite(found))
    alone = fc.metrics.get(name)(y, model.predict(x))
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=5)[1], alone, rtol=1e-6)
    if "cross" in name or "log" in name:
        assert model.evaluate(x, y)[1] == pytest.approx(model.evaluate(x, y)[0], rel=1e-6)


def test_the_score_of_targets_far_from_nought_is_exact_in_any_parts():
    draw = np.random.default_rng(8)
    years = 2000 + draw.random((100, 2))
    guesses = years + 0.1 * draw.standard_normal((100, 2))
    near = fc.metrics.R2Score(None)(years - 2000, guesses - 2000)
    for cuts in ([], [1], [3, 4, 50], range(1, 100)):
        parts = [fc.metrics.R2Score(None) for _ in range(len(cuts) + 1)]
        for part, y, p in zip(parts, np.split(years, cuts), np.split(guesses, cuts), strict=True):
            part.update_state(y, p)
        parts[0].merge_state(parts[1:])
        np.testing.assert_allclose(parts[0].result(), near, rtol=1e-11)  # the years have 11 digits less
    same = np.full((5, 1), 0.1)
    assert fc.metrics.R2Score()(same, same) == 1
    assert fc.metrics.R2Score()(same, same + 1) == 0


def test_too_few_targets_for_the_regressors_are_told():
    with pytest.warns(UserWarning, match="expected more than 4 targets for 3 regressors, got 4; the score is not adj"):
        fc.metrics.R2Score(num_regressors=3)(Y[:, None], Y[:, None] + 1.0)


def test_labels_that_are_ignored_do_not_count():
    metric = fc.metrics.SparseCategoricalCrossentropy(ignore_class=-1)
    assert metric([1, -1, 0, -1], P) == fc.metrics.SparseCategoricalCrossentropy()([1, 0], P[[0, 2]])


def test_a_metric_counts_lists_vectors_and_numbers():
    for metric, result in (("mse", 0.205), ("mae", 0.4), ("rmse", 0.205**0.5), ("binary_accuracy", 0.75)):
        for one in (fc.metrics.get(metric), fc.metrics.get(metric)):
            one.update_state([1, 0, 1, 1], [0.9, 0.4, 0.3, 0.6])
            assert one.result() == pytest.approx(result)
    assert fc.metrics.MeanSquaredError()(1.0, 0.5) == 0.25
    assert fc.metrics.SparseCategoricalAccuracy()(Y.tolist(), P.tolist()) == 0.75
    assert fc.metrics.MeanSquaredError()(np.ones((2, 1)), np.array([1, 0])) == 0.5
    assert fc.metrics.MeanMetricWrapper(lambda y, p: (y - p).max())([1, 0], [0, 0]) == 1


# --- parts of the data, merged ----------------------------------------------------------------------------------------

DRAW = np.random.default_rng(5)
ROWS = DRAW.random((30, 3)).astype("float32")
LABELS = DRAW.integers(0, 3, 30)
HOT = np.eye(3, dtype="float32")[LABELS]
WEIGHTS = DRAW.random(30)
TARGETS = dict.fromkeys(("SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "SuitingAccuracy",
                         "SparseCategoricalCrossentropy"), LABELS)
MERGED = {name: lambda name=name: (_made(name), TARGETS.get(name, HOT), ROWS)
          for name in fc.metrics._CLASSES if name not in OF_OTHER_THINGS}
MERGED |= {
    "Accuracy": lambda: (fc.metrics.Accuracy(), HOT, np.rint(ROWS)),
    "IoU": lambda: (fc.metrics.IoU(3, [0, 2], sparse_y_pred=False), LABELS, ROWS),
    "MeanIoU": lambda: (fc.metrics.MeanIoU(3, ignore_class=1), LABELS, LABELS[::-1]),
    "BinaryIoU": lambda: (fc.metrics.BinaryIoU(), LABELS > 0, ROWS[:, 0]),
    "accuracy": lambda: (fc.metrics.get("accuracy"), LABELS, ROWS),
    "a function": lambda: (fc.metrics.get(_gap), HOT, ROWS),
    "recall at several": lambda: (fc.metrics.Recall([0.9, 0.2, 0.5]), HOT, ROWS),
    "precision of the largest": lambda: (fc.metrics.Precision(top_k=2, class_id=1), HOT, ROWS),
    "areas of labels": lambda: (fc.metrics.AUC(multi_label=True, label_weights=[1, 2, 3]), HOT, ROWS),
    "RecallAtPrecision": lambda: (fc.metrics.RecallAtPrecision(0.1), HOT, ROWS),
    "PR": lambda: (fc.metrics.AUC(curve="PR"), HOT, ROWS),
    "F1 of all": lambda: (fc.metrics.F1Score("micro", 0.4), HOT, ROWS),
    "log loss": lambda: (fc.metrics.get("log_loss"), LABELS, ROWS),
    "log loss of yes or no": lambda: (fc.metrics.get("log_loss"), LABELS > 0, ROWS[:, :1]),
    "R2 of each": lambda: (fc.metrics.R2Score(None), HOT, ROWS),
    "R2, adjusted": lambda: (fc.metrics.R2Score("variance_weighted_average", 2), HOT, ROWS),
    "calibration of yes or no": lambda: (fc.metrics.ExpectedCalibrationError(7), LABELS > 0, ROWS[:, 0]),
    "matrix of shares": lambda: (fc.metrics.ConfusionMatrix(normalize="true"), LABELS, ROWS),
    "correlation of yes or no": lambda: (fc.metrics.MatthewsCorrelation(), LABELS > 0, ROWS[:, :1]),
    "F1 by weight": lambda: (fc.metrics.F1Score("weighted"), HOT, ROWS),
}


def _gap(y_true, y_pred):
    return np.abs(y_true - y_pred)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", MERGED)
def test_metrics_of_parts_merge_into_that_of_the_whole(case, weights):
    parts = [slice(0, 7), slice(7, 20), slice(20, 30)]
    found = []
    for part in parts:
        metric, y, p = MERGED[case]()
        given = (p[part],) if case in ("Mean", "Sum") else (y[part], p[part])
        metric.update_state(*given, sample_weight=None if weights is None else weights[part])
        found.append(pickle.loads(pickle.dumps(metric)))  # as it comes from another process
    whole, y, p = MERGED[case]()
    whole.update_state(*((p,) if case in ("Mean", "Sum") else (y, p)), sample_weight=weights)
    first, *others = found
    alone = [np.copy(other.result()) for other in others]
    first.merge_state(others)
    # sums in another order
    np.testing.assert_allclose(first.result(), whole.result(), rtol=1e-12)
    assert np.any(first.result())
    for other, before in zip(others, alone, strict=True):
        np.testing.assert_array_equal(other.result(), before)
    started, _, _ = MERGED[case]()
    started.merge_state([whole])
    np.testing.assert_array_equal(started.result(), whole.result())


def test_the_variables_of_a_metric_are_what_it_counted_and_can_be_assigned():
    metric = fc.metrics.Mean()
    metric.update_state([1.0, 3.0])
    total, count = metric.variables
    assert (total.name, float(total), count.path, count.numpy()) == ("total", 4.0, "mean/count", 2.0)
    total.assign(6)
    assert metric.result() == 3.0
    precision = fc.metrics.Precision(thresholds=[0.3, 0.8])
    precision.update_state([0, 1, 1], [0.5, 0.9, 0.4])
    assert [v.name for v in precision.variables] == ["true_positives", "false_positives"]
    np.testing.assert_array_equal([np.asarray(v) for v in precision.variables], [[2, 1], [1, 0]])
    with pytest.raises(fc.errors.ArgumentError, match="expected no value, since it follows from others"):
        precision.variables[0].assign([0, 0])


def test_a_metric_is_told_a_type_and_counts_in_float64_all_the_same():
    metric = fc.metrics.MeanSquaredError(dtype="float32")
    assert metric.dtype == fc.metrics.get(fc.metrics.serialize(metric)).dtype == "float32"
    assert fc.metrics.MeanSquaredError(dtype="int32")([[1.5]], [[1.0]]) == 0.25


@pytest.mark.parametrize("name", [
    "binary_accuracy", "binary_crossentropy", "categorical_accuracy", "categorical_crossentropy", "categorical_hinge",
    "concordance_correlation", "hinge", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "pearson_correlation",
    "poisson", "squared_hinge"])
def test_the_mean_of_a_function_is_the_metric_of_its_name_lists_are_as_good_as_arrays(name):
    values = getattr(fc.metrics, name)(HOT.tolist(), ROWS.tolist())
    assert np.mean(values) == pytest.approx(fc.metrics.get(name)(HOT, ROWS), rel=1e-6)  # accuracies count in float32


def test_what_is_another_metric_does_not_merge_and_nothing_is_counted():
    metric, more = fc.metrics.Precision(), fc.metrics.Precision()
    metric(HOT, ROWS)
    before = metric.result()
    more.update_state(HOT[:3], ROWS[:3])
    for other in (fc.metrics.Recall(), fc.metrics.Precision(0.4), 3):
        with pytest.raises(fc.errors.ArgumentError, match=r"precision.*: expected metrics like Precision\(.* got") as e:
            metric.merge_state([more, other])
        assert "\n" not in str(e.value)
    assert metric.result() == before
    three, two = fc.metrics.AUC(multi_label=True), fc.metrics.AUC(multi_label=True)
    three(HOT, ROWS)
    two(HOT[:, :2], ROWS[:, :2])
    with pytest.raises(fc.errors.ArgumentError, match=r"counts of shape \(3, 201\) to merge, got \(2, 201\)"):
        three.merge_state([two])
    three.merge_state([fc.metrics.AUC(multi_label=True)])


def test_a_metric_of_ones_own_merges_once_it_tells_its_sums():
    class Count(fc.metrics.Metric):
        def reset_state(self):
            self._seen = 0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self._seen += len(y_true)

        def result(self):
            return self._seen

    one, other = Count(), Count()
    one(Y, P)
    other(Y[:3], P[:3])
    with pytest.raises(fc.errors.ArgumentError, match="merge_state is not offered by Count; tell the names"):
        one.merge_state([other])
    Count.sums = ("_seen",)
    one.merge_state([other])
    assert one.result() == 7
