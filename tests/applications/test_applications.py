"""The named networks: parameters as published, any fitting image, any number of classes."""

import inspect
import re

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import applications, initializers, layers, utils
from fastcnn.errors import ArgumentError, DataError, ModelFileError

# Counts of Keras's documentation or, for networks it has not, of the paper, Caffe's model zoo or torchvision
# (their counts leave out moving statistics, so here they are those of what is trained).
PARAMETERS = {
    "LeNet": 18_474, "LeNet5": 61_706, "ConvNet": 34_826, "Perceptron": 785, "LogisticRegression": 7_850,
    "LinearRegression": 9,
    "MLP": 669_706, "AlexNet": 60_965_224, "VGG16": 138_357_544, "VGG19": 143_667_240, "GoogLeNet": 6_998_552,
    "InceptionV3": 23_851_784, "ResNet50": 25_636_712, "ResNet101": 44_707_176, "ResNet152": 60_419_944,
    "MobileNet": 4_253_864, "MobileNetV2": 3_538_984, "DenseNet121": 8_062_504, "DenseNet169": 14_307_880,
    "DenseNet201": 20_242_984, "SqueezeNet": 1_248_424, "UNet": 31_030_658,
    "Xception": 22_910_480, "ResNet50V2": 25_613_800, "ResNet101V2": 44_675_560, "ResNet152V2": 60_380_648,
    "InceptionResNetV2": 55_873_736, "MobileNetV3Large": 5_507_432, "MobileNetV3Small": 2_554_968,
    "EfficientNetV2B0": 7_200_312, "EfficientNetV2B1": 8_212_124, "EfficientNetV2B2": 10_178_374,
    "EfficientNetV2B3": 14_467_622, "EfficientNetV2S": 21_612_360, "EfficientNetV2M": 54_431_388,
    "EfficientNetV2L": 119_027_848, "ConvNeXtTiny": 28_589_128, "ConvNeXtSmall": 50_223_688,
    "ConvNeXtBase": 88_591_464, "ConvNeXtLarge": 197_767_336, "ConvNeXtXLarge": 350_196_968,
    "NASNetMobile": 5_326_716, "NASNetLarge": 88_949_818,
    **{f"EfficientNet{which}": variant.parameters for which, variant in applications.EFFICIENTNETS.items()},
}  # fmt: skip
TRAINED = {"ResNet18": 11_689_512, "ResNet34": 21_797_672, "ResNet20": 269_722}
CHAINS = ("LeNet", "LeNet5", "ConvNet", "Perceptron", "LogisticRegression", "LinearRegression", "MLP")


def _make(name, *args, **kwargs):
    with initializers.nothing_drawn():
        return getattr(applications, name)(*args, **kwargs)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_as_many_as_published(name):
    network = _make(name)
    assert network.count_params() == PARAMETERS[name]
    stated = applications.__dict__[name].__doc__
    assert f"{PARAMETERS[name]:,}" in stated


@pytest.mark.parametrize("name", TRAINED)
def test_trained_parameters_are_as_many_as_published(name):
    network = _make(name)
    assert sum(p.size for p in network.trainable_weights) == TRAINED[name]
    stated = applications.__dict__[name].__doc__
    assert f"{TRAINED[name]:,}" in stated
    assert f"{network.count_params():,}" in stated


@pytest.mark.parametrize(("name", "arguments", "parameters"), [
    ("GoogLeNet", {"auxiliary": True}, 13_378_280), ("SqueezeNet", {"version": "1.1"}, 1_235_496),
    ("MobileNet", {"alpha": 0.5}, 1_342_536), ("MobileNetV2", {"alpha": 1.4}, 6_156_712)])  # fmt: skip
def test_variants_have_as_many_as_published(name, arguments, parameters):
    assert _make(name, **arguments).count_params() == parameters


@pytest.mark.parametrize(("name", "multiply_adds"), [
    ("LeNet5", 416_520), ("ConvNet", 2_440_960),
    ("ResNet20", 40_551_040),  # the paper's network, by its own table: 0.041 G
    ("MobileNet", 568_740_352)])  # the paper's table 4: 569 million  # fmt: skip
def test_multiply_adds_are_as_many_as_published(name, multiply_adds):
    assert sum(layer.multiply_adds() for layer in _make(name).layers) == multiply_adds


@pytest.mark.parametrize("name", [*PARAMETERS, *TRAINED])
def test_arguments_are_explained_and_in_one_order(name):
    function = getattr(applications, name)
    arguments = list(inspect.signature(function).parameters)
    if name in CHAINS:
        assert arguments[:2] == ["input_shape", "classes"]
    else:
        shared = ["include_top", "weights", "input_tensor", "input_shape", "pooling", "classes",
                  "classifier_activation", "name"]  # fmt: skip
        assert set(shared) <= set(arguments)
        if name == "MobileNet":
            assert arguments[:4] == ["input_shape", "alpha", "depth_multiplier", "dropout"]
        elif name in ("MobileNetV2", "MobileNetV3Large", "MobileNetV3Small"):
            assert arguments[:2] == ["input_shape", "alpha"]
        elif name.startswith("NASNet"):
            assert arguments == ["input_shape", "include_top", *shared[1:3], *shared[4:]]
        elif name.startswith("ConvNeXt"):
            assert arguments[:3] == ["include_top", "include_preprocessing", "weights"]
        elif name.startswith("EfficientNetV2"):
            assert arguments == [*shared[:7], "include_preprocessing", "name"]
        else:
            assert arguments[:8] == shared
    own = set(arguments) - {"include_top", "weights", "input_tensor", "input_shape", "pooling", "classes",
                            "classifier_activation", "name"}  # fmt: skip
    assert all(argument in function.__doc__ for argument in own)


# The smallest images that each takes, and odd ones.
SMALL = [
    ("LeNet", (4, 4, 1)), ("LeNet", (9, 13, 3)), ("LeNet5", (12, 12, 1)), ("LeNet5", (32, 32, 3)),
    ("ConvNet", (10, 10, 2)), ("ConvNet", (32, 32, 3)), ("MLP", (5,)), ("LogisticRegression", (3, 7)),
    ("AlexNet", (67, 71, 3)), ("VGG16", (32, 37, 1)), ("GoogLeNet", (33, 40, 3)), ("InceptionV3", (75, 80, 3)),
    ("ResNet18", (32, 37, 3)), ("ResNet50", (33, 32, 2)), ("ResNet20", (8, 11, 1)), ("MobileNet", (33, 47, 3)),
    ("MobileNetV2", (35, 32, 4)), ("DenseNet121", (32, 45, 3)), ("SqueezeNet", (35, 39, 3)),
    ("EfficientNetB0", (33, 47, 3)), ("MobileNetV3Small", (33, 47, 1)), ("EfficientNetV2B0", (32, 47, 1)),
    ("ResNet50V2", (33, 32, 1)), ("ConvNeXtTiny", (32, 37, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "input_shape"), SMALL)
def test_other_images_and_classes_fit(name, input_shape):
    network = getattr(applications, name)(input_shape=input_shape, classes=4)
    assert network.input_shape == (None, *input_shape)
    assert network.output_shape == (None, 4)
    y = network.predict(np.random.default_rng(0).random((3, *input_shape), np.float32))
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["AlexNet", "VGG16", "GoogLeNet", "InceptionV3", "ResNet18", "ResNet50", "ResNet20",
                                  "MobileNet", "MobileNetV2", "DenseNet121", "SqueezeNet", "EfficientNetB0", "UNet",
                                  "Xception", "InceptionResNetV2", "MobileNetV3Large", "EfficientNetV2S",
                                  "ConvNeXtTiny"])
def test_without_the_top_features_come_out_pooled_or_not(name):
    full = _make(name, include_top=False)
    assert full.input_shape == (None, None, None, 1 if name == "UNet" else 3), "images of any size"
    _, h, w, c = full.output_shape
    assert (h, w) == (None, None)
    assert min(full.compute_output_shape((None, 160, 160, full.input_shape[-1]))[1:3]) > 1
    for pooling in ("avg", "max"):
        network = _make(name, include_top=False, pooling=pooling)
        assert network.output_shape == (None, c)
        assert network.count_params() == full.count_params()
    with pytest.raises(ArgumentError, match="pooling: 'mean' is not known"):
        _make(name, include_top=False, pooling="mean")


@pytest.mark.parametrize("name", ["LeNet", "LeNet5", "ConvNet"])
def test_chains_without_the_top(name):
    assert len(_make(name, include_top=False).output_shape) == 4
    assert len(_make(name, include_top=False, pooling="avg").output_shape) == 2


def test_the_pooled_features_are_those_of_the_last_map():
    utils.set_random_seed(1)
    full = applications.ResNet20(include_top=False)
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    for pooling, mean_or_max in (("avg", np.mean), ("max", np.max)):
        network = applications.ResNet20(include_top=False, pooling=pooling)
        network.set_weights(full.get_weights())
        np.testing.assert_allclose(network.predict(x), mean_or_max(full.predict(x), axis=(1, 2)), rtol=1e-5, atol=1e-6)


def test_a_tensor_takes_the_place_of_the_image():
    image = fc.Input((32, 32, 1))
    three = layers.Concatenate()([image, image, image])
    network = applications.ResNet20(input_tensor=three, classes=3)
    assert network.input_shape == (None, 32, 32, 1)
    assert network.output_shape == (None, 3)
    assert network.predict(np.zeros((2, 32, 32, 1), np.float32)).shape == (2, 3)
    with pytest.raises(ArgumentError, match=re.escape("expected input_shape to be that of input_tensor, (32, 32, 3)")):
        applications.ResNet20(input_tensor=three, input_shape=(40, 40, 3))


@pytest.mark.parametrize(("name", "shape", "least"), [
    ("VGG16", (31, 50, 3), 32), ("AlexNet", (66, 100, 3), 67), ("InceptionV3", (100, 74, 3), 75),
    ("ResNet20", (7, 7, 3), 8), ("SqueezeNet", (34, 40, 3), 35)])  # fmt: skip
def test_images_that_are_too_small_are_refused_by_name(name, shape, least):
    with pytest.raises(ArgumentError, match=f"{name}: expected images of at least {least} x {least}"):
        _make(name, input_shape=shape)


@pytest.mark.parametrize(("name", "shape"), [
    ("VGG16", (224, 224)), ("VGG16", (None, None, None)), ("VGG16", 224), ("VGG16", "abc"), ("ResNet50", (64, 64, 0)),
    ("UNet", (100,)), ("UNet", (None, 0, 1)), ("MobileNet", ()), ("MobileNetV2", 5), ("EfficientNetB1", (64.0, 64, 3)),
])
def test_what_is_no_image_is_refused(name, shape):
    with pytest.raises(ArgumentError, match=re.escape(f"{name}: expected images (H, W, C), got {shape}")):
        getattr(applications, name)(input_shape=shape)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(ArgumentError, match="VGG16: expected an input_tensor such as"):
        applications.VGG16(input_tensor=5)


@pytest.mark.parametrize("name", ["VGG16", "ResNet50", "EfficientNetB3", "MobileNet"])
def test_weights_that_would_be_downloaded_are_refused_with_the_way_to_get_them(name):
    with pytest.raises(ArgumentError, match=f"{name}: .*is not offered.*save_weights") as caught:
        getattr(applications, name)(weights="imagenet", name="mine")
    assert f"keras.applications.{name}()" in str(caught.value)


@pytest.mark.parametrize("name", ["AlexNet", "ResNet18", "UNet", "LeNet5", "MLP"])
def test_weights_that_keras_has_not_either_are_refused_without_a_way(name):
    with pytest.raises(ArgumentError, match=f"{name}: .*is not offered.*no such network") as caught:
        getattr(applications, name)(weights="imagenet")
    assert "keras.applications" not in str(caught.value)


def test_weights_of_no_file_or_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ModelFileError, match="ResNet20: expected weights to be an existing file"):
        applications.ResNet20(weights=tmp_path / "none.safetensors")
    with pytest.raises(ArgumentError, match=re.escape("expected weights to be None or a .safetensors, .weights.h5")):
        applications.ResNet20(weights="x.pt")
    with pytest.raises(ArgumentError, match=r"LeNet5: expected weights to be None or .* got 5"):
        applications.LeNet5(weights=5)


@pytest.mark.parametrize("name", ["ResNet20", "LeNet5"])
def test_weights_come_from_a_file_that_was_saved(name, tmp_path):
    network = getattr(applications, name)()
    network.save(tmp_path / "m.safetensors")
    again = getattr(applications, name)(weights=tmp_path / "m.safetensors")
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), again.get_weights(), strict=True))
    loaded = fc.saving.load_model(tmp_path / "m.safetensors")
    x = np.random.default_rng(0).random((2, *network.input_shape[1:]), np.float32)
    np.testing.assert_array_equal(loaded.predict(x), network.predict(x))


def test_googlenet_s_heads_are_outputs_of_their_own():
    network = _make("GoogLeNet", input_shape=(75, 75, 3), classes=5, auxiliary=True)
    assert network.output_shape == ((None, 5),) * 3
    assert network.output_names == ["predictions", "loss1_classifier", "loss2_classifier"]
    with pytest.raises(ArgumentError, match="expected include_top=True with auxiliary=True"):
        _make("GoogLeNet", auxiliary=True, include_top=False)


def test_the_unet_classifies_every_pixel_and_crops_as_the_paper_does():
    assert _make("UNet", input_shape=(48, 32, 3), classes=4, filters=8).output_shape == (None, 48, 32, 4)
    paper = _make("UNet", padding="valid", filters=4)
    assert paper.input_shape == (None, 572, 572, 1)
    assert paper.output_shape == (None, 388, 388, 2)
    small = applications.UNet(input_shape=(188, 204, 1), padding="valid", filters=2)
    assert small.predict(np.ones((1, 188, 204, 1), np.float32)).shape == (1, 4, 20, 2)
    for shape, padding, sizes in (((40, 32, 1), "same", "16, 32, 48"), ((192, 188, 1), "valid", "188, 204, 220")):
        with pytest.raises(ArgumentError, match=f"expected rows and columns of {sizes}"):
            _make("UNet", input_shape=shape, padding=padding)


def test_a_unet_learns_which_pixels_are_bright():
    utils.set_random_seed(4)
    x = np.random.default_rng(0).random((16, 16, 16, 1), np.float32)
    y = (x[..., 0] > 0.5).astype(np.int32)
    network = applications.UNet(input_shape=(16, 16, 1), filters=4, dropout=0.0)
    network.compile(fc.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    losses = network.fit(x, y, batch_size=4, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_resnet_20_shortcuts_take_every_other_pixel_and_have_no_weights():
    network = applications.ResNet20()
    add = network.get_layer("conv3_block1_add")
    probe = fc.Model(network.input, [network.get_layer("conv2_block3_out").output, add.input[0]])
    before, shortcut = probe.predict(np.random.default_rng(0).random((2, 32, 32, 3), np.float32))
    np.testing.assert_array_equal(shortcut[..., 8:24], before[:, ::2, ::2])
    assert not shortcut[..., :8].any()
    assert not shortcut[..., 24:].any()


def test_compound_scaling_is_the_paper_s():
    assert applications.compound_scaling(0) == (1, 1, 1)
    scaling = applications.compound_scaling(1)
    assert scaling == (1.2, 1.1, 1.15)
    assert scaling.depth * scaling.width**2 * scaling.resolution**2 == pytest.approx(2, rel=0.05)
    b1 = applications.EFFICIENTNETS["B1"]
    half = applications.compound_scaling(0.5)
    assert (b1.depth, b1.size / 224) == (pytest.approx(half.depth, rel=0.01), pytest.approx(half.resolution, rel=0.01))


def test_preprocess_input_is_what_each_family_was_trained_with():
    x = np.array([[[[255, 0, 51]]]], np.uint8)
    caffe = applications.preprocess_input(x)
    np.testing.assert_allclose(caffe.ravel(), [51 - 103.939, -116.779, 255 - 123.68], rtol=1e-6)
    np.testing.assert_allclose(applications.preprocess_input(x, "tf").ravel(), [1, -1, -0.6], rtol=1e-6)
    np.testing.assert_allclose(applications.preprocess_input(x, "torch").ravel(),
                               [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225], rtol=1e-5)
    assert caffe.dtype == np.float32
    assert applications.preprocess_input(x.astype(np.float64), "torch").dtype == np.float64
    assert x.ravel().tolist() == [255, 0, 51]
    with pytest.raises(ArgumentError, match="mode: 'pytorch' is not known; did you mean 'torch'"):
        applications.preprocess_input(x, "pytorch")
    with pytest.raises(ArgumentError, match=re.escape("expected images (..., H, W, 3) for mode 'caffe'")):
        applications.preprocess_input(x[..., :1])


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocess_input_of_a_tensor_begins_a_model(mode):
    inputs = fc.Input((2, 2, 3))
    model = fc.Model(inputs, applications.imagenet_utils.preprocess_input(inputs, mode=mode))
    x = np.random.default_rng(0).uniform(0, 255, (2, 2, 2, 3)).astype("float32")
    np.testing.assert_allclose(model.predict(x), applications.preprocess_input(x, mode), rtol=1e-5, atol=1e-4)
    assert applications.efficientnet.preprocess_input(inputs) is inputs
    with pytest.raises(ArgumentError, match="expected data_format to be 'channels_last'"):
        applications.imagenet_utils.preprocess_input(x, "channels_first")


@pytest.mark.parametrize("name", applications.by_name)
def test_a_network_is_called_by_its_name_and_a_seed_makes_it(name):
    networks = []
    for seed in (5, 5, 6):
        utils.set_random_seed(seed)
        networks.append(applications.by_name[name](input_shape=(28, 28, 1), classes=10))
    assert networks[0].name == name
    same = [np.array_equal(a, b) for a, b in zip(networks[0].get_weights(), networks[1].get_weights(), strict=True)]
    assert all(same)
    if name not in ("linear_regression", "logistic_regression"):  # which begin at zero
        assert not np.array_equal(networks[0].get_weights()[0], networks[2].get_weights()[0])


def test_a_network_is_found_however_its_name_is_spelled():
    assert applications.find("resnet-50") is applications.ResNet50
    assert applications.find("MobileNet_V2") is applications.MobileNetV2
    assert applications.find("logistic_regression") is applications.LogisticRegression
    assert all(applications.find(name) is function for name, function in applications.by_name.items())
    for name in ("resnet51", "efficientnet", "find", "by_name", "preprocess_input", "efficientnets"):
        assert applications.find(name) is None


def test_modules_have_the_networks_and_the_preprocessing_that_they_were_trained_with():
    x = np.array([[[[255, 0, 51]]]], np.uint8)
    for module, mode in (("vgg16", "caffe"), ("resnet50", "caffe"), ("xception", "tf"), ("densenet", "torch"),
                         ("mobilenet_v3", None), ("convnext", None)):
        found = getattr(applications, module).preprocess_input(x)
        np.testing.assert_array_equal(found, x if mode is None else applications.preprocess_input(x, mode))
    assert applications.vgg16.VGG16 is applications.VGG16
    assert applications.resnet50.ResNet50 is applications.ResNet50
    with pytest.raises(ArgumentError, match="data_format to be 'channels_last', got 'channels_first'"):
        applications.vgg19.preprocess_input(x, data_format="channels_first")


def test_predictions_are_named_best_first_ties_by_number():
    scores = np.zeros((2, 1000), np.float32)
    scores[0, [281, 7]] = 0.5, 0.25
    scores[1, 999] = 1
    names = applications.imagenet_utils.decode_predictions(scores, 3)
    assert names[0] == [("n02123045", "tabby", 0.5), ("n01514668", "cock", 0.25), ("n01440764", "tench", 0.0)]
    assert names[1][0] == ("n15075141", "toilet_tissue", 1.0)
    for wrong in (scores[0], scores[:, :10]):
        with pytest.raises(DataError, match=re.escape("expected scores (N, 1000)")):
            applications.decode_predictions(wrong)
    with pytest.raises(ArgumentError, match="top"):
        applications.decode_predictions(scores, 0)
    with pytest.raises(ArgumentError, match="top to be at most 1000"):
        applications.decode_predictions(scores, 1001)
