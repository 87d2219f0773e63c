"""Files in Keras's layouts, written here by h5py; what Keras itself writes is read in tests/peers."""

import re
import sys
import zipfile

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, ModelFileError

h5py = pytest.importorskip("h5py")


def _model():
    return fc.Sequential([layers.Input((6, 6, 2)), layers.Conv2D(3, 3, name="first"),
                          layers.BatchNormalization(name="bn"), layers.Conv2D(3, 1, name="second"), layers.Flatten(),
                          layers.Dense(2, name="last")])  # fmt: skip


PLACES = {"first": "conv2d", "bn": "batch_normalization", "second": "conv2d_1", "last": "dense"}


def _values(model):
    rng = np.random.default_rng(3)
    return [rng.random(p.shape, np.float32) for p in model.weights]


def _arrays(model, values):
    """The arrays of a file of Keras 3, by their path."""
    left, arrays = list(values), {}
    for layer in model.layers:
        for i, _ in enumerate(layer.weights):
            arrays[f"layers/{PLACES[layer.name]}/vars/{i}"] = left.pop(0)
    return arrays


def _write(path, arrays):
    with h5py.File(path, "w") as file:
        for place, value in arrays.items():
            file[place] = value
    return path


def _write_listed(path, model, values, names=None, root="", parts=1):
    """The file of Keras 2: layers by name, trained weights before statistics."""
    left = list(values)
    with h5py.File(path, "w") as file:
        group = file.require_group(root) if root else file
        listed = []
        for layer in model.layers:
            name = (names or {}).get(layer.name, layer.name)
            listed.append(name)
            own = group.create_group(name)
            weights = [f"{name}/{p.name}:0" for p in layer.weights]
            for weight in weights:
                own[weight] = left.pop(0)
            own.attrs["weight_names"] = [weight.encode() for weight in weights]
        for i in range(parts):
            part = listed[i * len(listed) // parts : (i + 1) * len(listed) // parts]
            group.attrs["layer_names" if parts == 1 else f"layer_names{i}"] = [name.encode() for name in part]
    return path


def _same(model, values):
    return all(np.array_equal(p.value, v) for p, v in zip(model.weights, values, strict=True))


def test_weights_of_keras_3_are_found_by_class_and_count(tmp_path):
    model = _model()
    values = _values(model)
    others = {"layers/dropout/seed_generator/vars/0": np.zeros(2, np.uint32), "optimizer/vars/0": np.int32(7)}
    fc.saving.load_keras_weights(model, _write(tmp_path / "m.weights.h5", _arrays(model, values) | others))
    assert _same(model, values)


def test_an_archive_holds_such_a_file(tmp_path):
    model = _model()
    values = _values(model)
    _write(tmp_path / "m.weights.h5", _arrays(model, values))
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.write(tmp_path / "m.weights.h5", "model.weights.h5")
    fc.saving.load_keras_weights(model, tmp_path / "m.keras")
    assert _same(model, values)


@pytest.mark.parametrize(("names", "root", "parts"), [
    (None, "", 1), (None, "model_weights", 1), (None, "", 2), ({"first": "conv2d_7", "last": "predictions"}, "", 1)],
    ids=["weights", "model", "long", "other names"])  # fmt: skip
def test_weights_of_keras_2_are_found_by_name_or_order(tmp_path, names, root, parts):
    model = _model()
    values = _values(model)
    fc.saving.load_keras_weights(model, _write_listed(tmp_path / "m.h5", model, values, names, root, parts))
    assert _same(model, values)


def test_types_are_converted(tmp_path):
    model = _model()
    values = _values(model)
    arrays = {place: value.astype(np.float16) for place, value in _arrays(model, values).items()}
    fc.saving.load_keras_weights(model, _write(tmp_path / "m.weights.h5", arrays))
    assert _same(model, [value.astype(np.float16) for value in values])


def _without(place):
    def change(file, tmp_path=None):
        del file[place]

    return change


def _with(place, value):
    def change(file, tmp_path):
        if place in file:
            del file[place]
        file[place] = value

    return change


def _external_storage(file, tmp_path):
    del file["layers/dense/vars/1"]
    (tmp_path / "secret").write_bytes(bytes(8))
    file["layers/dense/vars"].create_dataset("1", (2,), "f4", external=str(tmp_path / "secret"))


def _virtual(file, tmp_path):
    del file["layers/dense/vars/1"]
    _write(tmp_path / "other.h5", {"x": np.zeros(2, np.float32)})
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (2,))
    file["layers/dense/vars"].create_virtual_dataset("1", layout)


def _link_out(file, tmp_path):
    _write(tmp_path / "other.h5", {"vars/0": np.zeros((48, 2), np.float32), "vars/1": np.zeros(2, np.float32)})
    del file["layers/dense"]
    file["layers/dense"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")


BAD = {
    "a layer is missing": (_without("layers/conv2d_1"), "0 weights in layers/conv2d_1 instead of the 2 of Conv2D"),
    "a weight is missing": (_without("layers/batch_normalization/vars/3"),
                            "3 weights in layers/batch_normalization instead of the 4"),
    "a layer too many": (_with("layers/conv2d_2/vars/0", np.zeros(3)), "1 weights in layers/conv2d_2, which"),
    "another rescaling": (_with("layers/rescaling_1/vars/x", np.zeros(0)), "imagenet_rescaling=True"),
    "another shape": (_with("layers/dense/vars/1", np.zeros(3, np.float32)), "float32 (3,) instead of (2,)"),
    "an enormous shape": (lambda file, _: (file.pop("layers/dense/vars/1"), file.create_dataset(
        "layers/dense/vars/1", (1 << 40,), "f4", chunks=True)), "(1099511627776,) instead of (2,)"),
    "text": (_with("layers/dense/vars/1", "no numbers"), "layers/dense/vars/1 as object"),
    "a group for an array": (lambda file, _: (file.pop("layers/dense/vars/1"),
                                              file.create_group("layers/dense/vars/1")), "a group where the array"),
    "an array for a group": (lambda file, _: (file.pop("layers/dense"), file.__setitem__("layers/dense", [1.0])),
                             "an array where a group"),
    "numbers as names": (lambda file, _: file.move("layers/dense/vars/1", "layers/dense/vars/bias"),
                         "no layers/dense/vars/1"),
    "a link out of the file": (_link_out, "a link 'dense' to somewhere else"),
    "a soft link": (lambda file, _: (file.pop("layers/dense/vars/1"), file["layers/dense/vars"].__setitem__(
        "1", h5py.SoftLink("/layers/conv2d/vars/1"))), "a link '1' to somewhere else"),
    "storage in another file": (_external_storage, "an array layers/dense/vars/1 that lies outside of it"),
    "an array put together from other files": (_virtual, "an array layers/dense/vars/1 that lies outside of it"),
    "no layers at all": (lambda file, _: file.pop("layers"), "an HDF5 file without layers"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_or_cannot_be_trusted_is_told_and_nothing_is_assigned(tmp_path, case):
    change, text = BAD[case]
    model = _model()
    before = model.get_weights()
    path = _write(tmp_path / "m.weights.h5", _arrays(model, _values(model)))
    with h5py.File(path, "a") as file:
        change(file, tmp_path)
    with pytest.raises(ModelFileError, match=re.escape(text)) as caught:
        fc.saving.load_keras_weights(model, path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert _same(model, before)


LISTED_BAD = {
    "a layer is missing": (lambda file: file.attrs.__setitem__("layer_names", [b"first", b"bn", b"last"]),
                           "3 layers with weights instead of 4"),
    "a group is missing": (_without("last"), "no group 'last' for a layer it lists"),
    "an array is missing": (_without("last/last/bias:0"), "no last/last/bias:0"),
    "a weight too few": (lambda file: file["bn"].attrs.__setitem__("weight_names", [b"bn/gamma:0"]),
                         "1 weights in bn instead of the 4"),
    "a path upwards": (lambda file: file["last"].attrs.__setitem__("weight_names", [b"../first/kernel:0", b"x"]),
                       "no last/../first/kernel:0"),
    "numbers as names": (lambda file: file.attrs.__setitem__("layer_names", [1, 2]), "an attribute 'layer_names' of /"),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTED_BAD)
def test_a_bad_list_of_layers_is_told_and_nothing_is_assigned(tmp_path, case):
    change, text = LISTED_BAD[case]
    model = _model()
    before = model.get_weights()
    path = _write_listed(tmp_path / "m.h5", model, _values(model))
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(ModelFileError, match=re.escape(text)):
        fc.saving.load_keras_weights(model, path)
    assert _same(model, before)


def test_every_cut_of_a_file_is_told_and_nothing_is_assigned(tmp_path):
    model = _model()
    before = model.get_weights()
    whole = _write(tmp_path / "m.weights.h5", _arrays(model, _values(model))).read_bytes()
    for end in range(0, len(whole), len(whole) // 50):
        (tmp_path / "cut.weights.h5").write_bytes(whole[:end])
        with pytest.raises(ModelFileError, match="expected weights written by Keras"):
            fc.saving.load_keras_weights(model, tmp_path / "cut.weights.h5")
    assert _same(model, before)


def _archive(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_an_archive_that_unpacks_to_more_than_the_model_needs_is_refused(tmp_path):
    path = _archive(tmp_path / "m.keras", {"model.weights.h5": bytes(200 << 20)})
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ModelFileError, match="209,715,200 bytes of weights, more than the"):
        fc.saving.load_keras_weights(_model(), path)


def test_an_archive_without_weights_or_with_damaged_ones_is_refused(tmp_path):
    model = _model()
    before = model.get_weights()
    path = _archive(tmp_path / "m.keras", {"config.json": b"{}", "model.weights.json": b"{}"})
    with pytest.raises(ModelFileError, match=re.escape("an archive without model.weights.h5")):
        fc.saving.load_keras_weights(model, path)
    weights = _write(tmp_path / "m.weights.h5", _arrays(model, _values(model))).read_bytes()
    whole = bytearray(_archive(path, {"model.weights.h5": weights}, zipfile.ZIP_STORED).read_bytes())
    for at in (whole.index(weights[2000:2040]), len(whole) - 4):
        damaged = whole[:]
        damaged[at] ^= 255
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError, match="expected weights written by Keras, got a"):
            fc.saving.load_keras_weights(model, path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match="that is damaged"):
        fc.saving.load_keras_weights(model, path)
    assert _same(model, before)


def test_what_is_no_such_file_is_told(tmp_path):
    (tmp_path / "text.h5").write_text("no weights")
    for path, text in ((tmp_path / "none.h5", "no file"), (tmp_path, "a folder"),
                       (tmp_path / "text.h5", "neither an HDF5 file nor a .keras archive")):  # fmt: skip
        with pytest.raises(ModelFileError, match=text):
            fc.saving.load_keras_weights(_model(), path)


def test_a_model_must_be_built(tmp_path):
    with pytest.raises(ArgumentError, match="expected a built model"):
        fc.saving.load_keras_weights(fc.Sequential([layers.Dense(2)]), tmp_path / "x.h5")


def test_a_missing_h5py_is_told_with_the_extra_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=re.escape('pip install "fastcnn[keras]"')):
        fc.saving.load_keras_weights(_model(), tmp_path / "x.h5")


def test_only_a_model_takes_weights(tmp_path):
    with pytest.raises(ArgumentError, match="load_keras_weights: expected a model, got None"):
        fc.saving.load_keras_weights(None, tmp_path / "m.h5")
