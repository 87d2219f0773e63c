"""Examples and guides of keras.io run to their ends, with `import keras` changed and small data in place of downloads.

`keras_examples` has a script for each of the 23 that are about CNNs. Those that do not run are named with the reason.
"""

import warnings

import numpy as np
import pytest

import fastcnn as fc
from tests.peers.keras_examples import running

for _needed in ("torch", "PIL"):
    pytest.importorskip(_needed)
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.peers

#: Run in every run of the peers; those of `SLOW` hold whole networks of ImageNet, or take seconds.
QUICK = ("autoencoder", "making_new_layers", "metric_learning", "mnist_convnet", "sequential_model",
         "siamese_contrastive", "writing_your_own_callbacks")
SLOW = ("cutmix", "deep_dream", "grad_cam", "image_classification_from_scratch", "integrated_gradients", "mixup",
        "neural_style_transfer", "oxford_pets_image_segmentation", "randaugment", "siamese_network",
        "super_resolution_sub_pixel", "training_with_built_in_methods", "transfer_learning",
        "visualizing_what_convnets_learn")

#: What stops the others. The guide "Coming from Keras" has each as a difference.
STOPPED = {"functional_api": "Embedding and LSTM, of text", "mlp_image_classification": "fft2"}

#: Run on Keras with PyTorch, too. Others want pydot, TensorFlow or a download there, or mix arrays with its tensors.
ON_KERAS = ("autoencoder", "cutmix", "deep_dream", "making_new_layers", "mixup", "mlp_image_classification",
            "mnist_convnet", "siamese_contrastive", "transfer_learning")


def test_each_example_runs_or_has_a_reason():
    assert len(running.scripts()) == 23
    assert sorted([*QUICK, *SLOW, *STOPPED]) == running.scripts()


def run(name, package, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of input_shape= in a first layer, of pictures that are SVG, ...
        package.utils.set_random_seed(7)
        running.run(name, package, tmp_path)


@pytest.mark.parametrize("name", QUICK)
def test_an_example_of_keras_runs_to_its_end(name, tmp_path):
    run(name, fc, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_an_example_with_a_whole_network_runs_to_its_end(name, tmp_path):
    run(name, fc, tmp_path)


def gradients(function, x, variables=None):
    """Stand for `fc.gradients`, on PyTorch."""
    import torch

    def each(change, form):
        if isinstance(form, dict):
            return {name: each(change, one) for name, one in form.items()}
        return type(form)(each(change, one) for one in form) if isinstance(form, (list, tuple)) else change(form)

    leaves, results = [], []
    given = each(lambda one: leaves.append(torch.tensor(np.asarray(one), requires_grad=True)) or leaves[-1], x)
    values = function(given)
    each(results.append, values)
    total = sum(one.sum() for one in results if one.requires_grad)
    wanted = leaves if variables is None else [one.value for one in variables]
    found = list(torch.autograd.grad(total, wanted))
    values = each(lambda one: one.detach().numpy(), values)
    if variables is not None:
        return values, found
    rest = iter(found)
    return values, each(lambda _: next(rest).numpy(), x)


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_KERAS)
def test_the_scripts_are_keras_s_own_code(name, tmp_path, monkeypatch):
    monkeypatch.setattr(keras, "gradients", gradients, raising=False)
    run(name, keras, tmp_path)
