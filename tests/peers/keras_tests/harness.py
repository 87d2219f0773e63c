# ruff: noqa: PT009, PT027  (Keras's tests are of unittest)
"""Keras's harness for its own tests, as it stands, but for what it asks that is no behaviour of a layer.

Left out: the wording of errors (their type is asked for), `dir()` of what a configuration makes, `supports_masking` and
masks' shapes, mixed precision (which Keras itself leaves out on PyTorch's CPU), generators of seeds as weights, the
number of losses, "built after instantiation", fixed sizes of batches. Put in: what a configuration makes gives the same
output shapes.
"""

import importlib
import json
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import parameter_blocks
from fastcnn.optimizers.clipping import clip
from tests.peers.keras_tests import arrays

keras_test_case = importlib.import_module("keras.src.testing.test_case")


class TestCase(keras_test_case.TestCase):
    """Keras's `testing.TestCase`, with checks of layers and configurations that are fastcnn's to hold."""

    __test__ = False

    def assertRaisesRegex(  # noqa: N802
            self, expected_exception: Any, expected_regex: Any, *args: Any, **kwargs: Any) -> Any:
        return self.assertRaises(expected_exception, *args, **kwargs)

    def assertWarnsRegex(  # noqa: N802
            self, expected_warning: Any, expected_regex: Any, *args: Any, **kwargs: Any) -> Any:
        return self.assertWarns(expected_warning, *args, **kwargs)

    def run_class_serialization_test(self, instance: Any, custom_objects: Any = None) -> Any:
        config = instance.get_config()
        written = json.dumps(config, sort_keys=True)
        for given in (config, json.loads(written)):
            revived = type(instance).from_config(given)
            self.assertEqual(json.dumps(revived.get_config(), sort_keys=True), written)
        room = next((part for part in type(instance).__module__.split(".")[1:2]), "")
        pair = getattr(fc, room, None) if type(instance).__module__.startswith("fastcnn.") else None
        if "schedules" in type(instance).__module__:
            again = fc.optimizers.schedules.deserialize(fc.optimizers.schedules.serialize(instance))
            self.assertEqual(json.dumps(again.get_config(), sort_keys=True), written)
        elif hasattr(pair, "serialize") and hasattr(pair, "get"):
            again = pair.get(json.loads(json.dumps(pair.serialize(instance))))
            self.assertEqual(json.dumps(again.get_config(), sort_keys=True), written)
        return revived

    def run_layer_test(self, layer_cls: Any, init_kwargs: Any, input_shape: Any = None, input_dtype: Any = None,
                       input_data: Any = None, call_kwargs: Any = None, expected_output_shape: Any = None,
                       expected_output_dtype: Any = None, expected_output: Any = None,
                       expected_num_trainable_weights: Any = None, expected_num_non_trainable_weights: Any = None,
                       custom_objects: Any = None, run_training_check: bool = True, input_sparse: bool = False,
                       input_ragged: bool = False, **_: Any) -> None:
        if input_sparse or input_ragged:
            raise NotImplementedError("sparse or ragged tensors")
        init_kwargs, call_kwargs = init_kwargs or {}, call_kwargs or {}
        revived = self.run_class_serialization_test(layer_cls(**init_kwargs), custom_objects)
        if input_data is None and input_shape is None:
            return
        shapes = input_shape if input_shape is not None else arrays._map_structure(lambda x: x.shape, input_data)
        if input_data is None:
            types = input_dtype or arrays._map_shapes(lambda _: "float32", input_shape)
            input_data = keras_test_case.create_eager_tensors(input_shape, types, False, False)

        # Where layers are put together, training=True is not offered: a model says it of all of them.
        together = {key: value for key, value in call_kwargs.items() if key != "training" or not value}

        def called(layer: Any, x: Any) -> Any:
            told = together if isinstance(arrays._flatten(x)[0], arrays.Tensor) else call_kwargs
            return layer(**x, **told) if isinstance(x, dict) else layer(x, **told)

        def check_weights(layer: Any) -> None:
            self.assertTrue(layer.built)
            for expected, weights in ((expected_num_trainable_weights, layer.trainable_weights),
                                      (expected_num_non_trainable_weights, layer.non_trainable_weights)):
                self.assertEqual(len(weights), len(weights) if expected is None else expected)

        def check_output(output: Any) -> None:
            if expected_output_shape is not None:
                expected = expected_output_shape
                several = isinstance(expected, (list, tuple)) and isinstance(expected[0], (list, tuple))
                for one, y in zip(expected if several else [expected], arrays._flatten(output), strict=True):
                    self.assertEqual(len(y.shape), len(one))
                    self.assertTrue(all(n in (None, m) or m is None for n, m in zip(one, y.shape, strict=True)),
                                    f"expected output shape {one}, got {y.shape}")
            if expected_output_dtype is not None:
                for y in arrays._flatten(output):
                    self.assertEqual(np.dtype(y.dtype).name, expected_output_dtype)

        layer = layer_cls(**init_kwargs)
        layer.build(**shapes) if isinstance(shapes, dict) else layer.build(shapes)
        check_weights(layer)
        layer = layer_cls(**init_kwargs)
        symbolic = arrays._map_structure(lambda x: arrays.KerasTensor(x.shape), input_data)
        outputs = called(layer, symbolic)
        check_weights(layer)
        check_output(outputs)
        other = called(revived, symbolic)
        self.assertEqual([y.shape for y in arrays._flatten(outputs)], [y.shape for y in arrays._flatten(other)])
        layer = layer_cls(**init_kwargs)
        y = called(layer, input_data)
        check_output(y)
        if expected_output is not None:
            for expected, one in zip(arrays._flatten(expected_output), arrays._flatten(y), strict=True):
                self.assertAllClose(one, expected)
        if run_training_check:
            self._train(layer_cls(**init_kwargs), symbolic, input_data, together)

    def _train(self, layer: Any, symbolic: Any, data: Any, told: Any) -> None:
        """Take a training step with the layer as a model."""
        outputs = layer(**symbolic, **told) if isinstance(symbolic, dict) else layer(symbolic, **told)
        model = fc.Model(symbolic, outputs)
        model.compile("sgd", arrays._map_structure(lambda _: "mse", outputs))
        xs = arrays._map_structure(lambda x: np.asarray(x).astype("float32"), data)
        model.train_on_batch(xs, model.predict(xs))


def _clip_gradients(optimizer: Any, gradients: Any) -> list[np.ndarray]:
    """As Keras's method of this name, which its tests ask for: what the optimizer makes of gradients."""
    parameters = [fc.parameters.Parameter(np.zeros_like(np.asarray(g, np.float32)), str(k), str(k))
                  for k, g in enumerate(gradients)]
    segments = parameter_blocks.flatten(parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.gradient[...] = gradient
    clip(segments, 1.0, optimizer.clipnorm, optimizer.clipvalue, optimizer.global_clipnorm)
    return [parameter.grad for parameter in parameters]


fc.Metric._dtype = property(lambda metric: metric.dtype)  # type: ignore[attr-defined]
fc.optimizers.Optimizer._clip_gradients = _clip_gradients  # type: ignore[attr-defined]
keras_test_case.TestCase = TestCase
arrays.NAMES["testing.TestCase"] = TestCase
