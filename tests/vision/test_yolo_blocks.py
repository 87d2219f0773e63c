"""The blocks of YOLO's versions, and parallel branches as one convolution."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.vision import detection
from fastcnn.vision.detection.blocks import BLOCKS, extended_elan

CELLS = detection.YoloCells((32, 48), [[8, 8], [16, 8], [20, 20]], strides=(8, 16))
every_block = pytest.mark.parametrize("block", BLOCKS)


def _settled(model, seed=0):
    """Return a model whose normalizations have statistics and factors as after a training."""
    draw = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([draw.uniform(0.5, 1.5, one.shape).astype(one.dtype) for one in layer.get_weights()])
    return model


def _yolo(block, blocks=1):
    fc.utils.set_random_seed(1)
    return _settled(detection.yolo(CELLS, 2, filters=4, blocks=blocks, block=block))


def _images(count=2, size=(32, 48)):
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3)).astype(np.uint8)


def _convolutions(model):
    return sum(isinstance(layer, layers.Conv2D) for layer in model.layers)


@every_block
def test_branches_as_one_convolution_predict_what_the_network_does(block):
    model = _yolo(block, blocks=2)
    before = [one.copy() for one in model.get_weights()]
    folded = detection.reparameterized(model)
    expected, found = (one.predict(_images(), verbose=0) for one in (model, folded))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in folded.layers)
    assert not any(isinstance(layer, layers.Add) for layer in folded.layers) or block != "repvgg"
    folded.set_weights([0 * one for one in folded.get_weights()])
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_repvgg_block_trains_with_three_branches_and_predicts_with_one():
    fc.utils.set_random_seed(0)
    x = layers.Input((8, 8, 4))
    for strides, filters, branches in ((1, 4, 3), (1, 6, 2), (2, 4, 2)):
        model = _settled(fc.Model(x, BLOCKS["repvgg"].block(x, filters, "relu") if strides == 1 else
                                  BLOCKS["repvgg"].halved(x, filters, "relu")))
        normalizations = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
        assert len(normalizations) == branches
        folded = detection.reparameterized(model)
        assert _convolutions(folded) == 1
        assert folded.count_params() == 9 * 4 * filters + filters
        picture = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32)
        np.testing.assert_allclose(folded.predict(picture, verbose=0), model.predict(picture, verbose=0), atol=1e-5)


def test_an_extended_elan_is_group_convolutions_whose_maps_are_shuffled_and_added():
    fc.utils.set_random_seed(0)
    x = layers.Input((6, 7, 8))
    model = _settled(fc.Model(x, extended_elan(x, 16, "leaky_relu")))
    banks = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    by_reader = {id(norm.nodes[0].inputs[0].node.layer): norm for norm in norms}
    order = [call.layer for call in model.traced.nodes if isinstance(call.layer, layers.Conv2D)]
    assert len(banks) == 2 * 6 + 1
    one, two, last = order[:6], order[6:12], order[12]
    one, two = (sorted(some, key=lambda bank: int("".join(filter(str.isdigit, bank.name)) or 0)) for some in (one, two))
    y = z = layers.Input((6, 7, 8))
    maps = []
    for k, pair in enumerate(zip(one, two, strict=True)):
        groups = 1 if k < 2 else 2
        grouped = layers.Conv2D(8, pair[0].kernel_size, padding="same", use_bias=False, groups=groups)
        normalized = layers.BatchNormalization()
        z = layers.LeakyReLU(0.2)(normalized(grouped(y if k < 2 else maps[-1])))
        grouped.set_weights([np.concatenate([bank.get_weights()[0] for bank in pair], axis=-1)])
        normalized.set_weights([np.concatenate(both) for both in zip(
            *(by_reader[id(bank)].get_weights() for bank in pair), strict=True)])
        maps.append(z)
    blocks = np.concatenate([fc.Model(y, maps[k]).predict(_maps(), verbose=0) for k in (0, 1, 3, 5)], axis=-1)
    n, h, w, _ = blocks.shape
    merged = blocks.reshape(n, h, w, 4, 2, 4).sum(4).reshape(n, h, w, 16)  # shuffled into two groups, and added
    after = layers.Input((6, 7, 16))
    end = _with_weights(layers.Conv2D(16, 1, use_bias=False), after, last)
    end = layers.LeakyReLU(0.2)(_with_weights(layers.BatchNormalization(), end, by_reader[id(last)]))
    np.testing.assert_allclose(fc.Model(after, end).predict(merged, verbose=0), model.predict(_maps(), verbose=0),
                               rtol=1e-4, atol=1e-5)


def _maps():
    return np.random.default_rng(0).normal(size=(2, 6, 7, 8)).astype(np.float32)


def _with_weights(layer, x, other):
    y = layer(x)
    layer.set_weights(other.get_weights())
    return y


def test_what_is_no_sum_of_branches_stays_as_it_is():
    fc.utils.set_random_seed(0)
    i = layers.Input((9, 11, 3))
    wide, high = (layers.Conv2D(4, size, padding="same", strides=2)(i) for size in ((3, 1), (1, 5)))
    inner = fc.Model(i, layers.Add()([wide, layers.BatchNormalization()(high)]))
    j = layers.Input((9, 11, 3))
    x = inner(layers.SpectralNormalization(layers.Conv2D(3, 3, padding="same"))(j))
    x = layers.Add()([x, layers.BatchNormalization()(x)])  # no convolution
    read_twice = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.Concatenate()([layers.Add()([read_twice, layers.Conv2D(4, 1)(x)]), read_twice])
    other_strides = layers.Conv2D(8, 3, padding="same")(x)
    model = _settled(fc.Model(j, [layers.Add()([other_strides, x]), x]))
    folded = detection.reparameterized(model)
    for one, other in zip(folded.predict(_images(2, (9, 11)), verbose=0),
                          model.predict(_images(2, (9, 11)), verbose=0), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 * np.abs(other).max())
    assert _convolutions(folded) == 3
    (within,) = (layer for layer in folded.layers if isinstance(layer, fc.Model))
    assert [type(layer).__name__ for layer in within.layers] == ["InputLayer", "Conv2D"]
    assert within.layers[1].kernel_size == (3, 5)


def test_a_folded_detector_finds_the_same_boxes_with_the_same_settings():
    model = _yolo("repvgg")
    detector = detection.Detector(model, CELLS, ("one", "two"), score_threshold=0.004, iou_threshold=0.4)
    folded = detector.folded()
    assert (folded.score_threshold, folded.iou_threshold, folded.classes) == (0.004, 0.4, ("one", "two"))
    assert folded.model.count_params() < model.count_params()
    one, other = (each.detect(_images(1)[0]) for each in (detector, folded))
    assert len(one) == len(other) > 0
    np.testing.assert_allclose(one.rows(), other.rows(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: detection.yolo(CELLS, 2, block="csp"), "yolo: block: 'csp' is not known"),
    (lambda: detection.reparameterized(3), "expected a built model, got 3"),
    (lambda: detection.reparameterized(fc.Sequential([layers.Dense(2)])), "expected a built model"),
])
def test_what_cannot_be_is_said(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
