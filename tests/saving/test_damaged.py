"""Files that are damaged, hostile or of another kind: each is refused by one error that names the file."""

import json
import os
import pickle
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastcnn import saving
from fastcnn.errors import ModelFileError
from fastcnn.formats.safetensors import _parse
from tests.saving.files import forge, header_length, small_model

settings.register_profile("files", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a saved model."""
    path = tmp_path_factory.mktemp("whole") / "m.safetensors"
    model = small_model()
    for count in range(8):
        saving.save_model(model, path, {"classes": ["ä", "\x1f", '"digest":"', 'a"b'], "longer": "." * count})
        content = path.read_bytes()
        if content[header_length(content) - 2 : header_length(content)] == b"  ":  # white space that could be changed
            return content
    raise AssertionError("no length of the metadata leaves two bytes to fill up")


@pytest.fixture
def path(tmp_path, whole):
    """A saved model."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(whole)
    return path


def refusal(path):
    with pytest.raises(ModelFileError) as caught:
        saving.load_model(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_flipped_bit_of_the_header_is_refused(path, whole):
    header = whole[8 : header_length(whole)]
    for at in range(len(header) * 8):
        flipped = bytearray(header)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(ModelFileError):
            _parse(path, bytes(flipped))


def test_every_flipped_byte_before_the_weights_is_refused(path, whole):
    rng = np.random.default_rng(0)
    for at in [*range(8), *range(header_length(whole))]:
        content = bytearray(whole)
        content[at] ^= rng.integers(1, 256)
        path.write_bytes(content)
        refusal(path)


def test_other_white_space_in_the_header_is_refused(path, whole):
    end = header_length(whole)
    path.write_bytes(whole[: end - 1] + b"\n" + whole[end:])
    assert "damaged header" in refusal(path)


def test_flipped_bytes_of_weights_are_refused_by_the_names_of_the_weights(path, whole):
    header = json.loads(whole[8 : header_length(whole)])
    del header["__metadata__"]
    rng = np.random.default_rng(0)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        for at in {begin, end - 1, *rng.integers(begin, end, 5)}:
            content = bytearray(whole)
            content[header_length(whole) + at] ^= 1 << rng.integers(8)
            path.write_bytes(content)
            assert f"got damaged weights '{name}'; restore it" in refusal(path)
    path.write_bytes(whole[: header_length(whole)] + bytes(byte ^ 1 for byte in whole[header_length(whole) :]))
    message = refusal(path)
    assert all(repr(name) in message for name in header)


@settings(settings.get_profile("files"), max_examples=60)
@given(data=st.data())
def test_a_truncated_or_prolonged_file_is_refused(path, whole, data):
    cut = data.draw(st.integers(0, len(whole)))
    tail = data.draw(st.binary(min_size=cut == len(whole), max_size=64))
    if whole[cut:].startswith(tail) and cut + len(tail) == len(whole):
        return
    path.write_bytes(whole[:cut] + tail)
    refusal(path)


@settings(settings.get_profile("files"), max_examples=60)
@given(content=st.binary(max_size=200))
def test_garbage_is_refused(path, content):
    path.write_bytes(content)
    refusal(path)
    path.write_bytes(len(content).to_bytes(8, "little") + content)
    refusal(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
)


@settings(settings.get_profile("files"), max_examples=60)
@given(
    value=JSON,
    place=st.sampled_from(["structure", "metadata", "digests", "version", "format", "layers", "layer", "config"]),
)
def test_a_header_with_any_content_and_the_right_digest_is_refused(path, whole, value, place):
    path.write_bytes(whole)

    def change(header, texts):
        if place in texts:
            texts[place] = json.dumps(value)
            return
        structure = json.loads(texts["structure"])
        entries = structure["config"]["layers"]
        if place == "layers":
            structure["config"]["layers"] = value
        elif place == "layer":
            entries[1] = value
        else:
            entries[1]["config"] = value
        texts["structure"] = json.dumps(structure)

    forge(path, change)
    if place == "metadata" and isinstance(value, dict):
        assert saving.load_metadata(path) == value
    else:
        refusal(path)


def structure(edit):
    def change(header, texts):
        whole = json.loads(texts["structure"])
        edit(whole)
        texts["structure"] = json.dumps(whole)

    return change


def unlisted(header, texts):
    digests = json.loads(texts["digests"])
    rest = list(digests)[1:]
    texts["digests"] = json.dumps({name: digests[name] for name in rest} | {"extra/kernel": "0"})


def rename(header, texts):
    """Rename a weight everywhere, so that all digests fit."""
    name = next(name for name in header if name != "__metadata__")
    header["new/part"] = header.pop(name)
    digests = json.loads(texts["digests"])
    digests["new/part"] = digests.pop(name)
    texts["digests"] = json.dumps(digests)


def entry(**changes):
    def change(header, texts):
        header[next(name for name in header if name.endswith("/kernel"))].update(changes)

    return change


def layer(at, **changes):
    return structure(lambda whole: whole["config"]["layers"][at].update(changes))


FORGED = {
    "a newer format": (
        lambda header, texts: texts.update(version="2"),
        "version '2' of the format instead of 1; update",
    ),
    "no version": (lambda header, texts: texts.pop("version"), "version '' of the format"),
    "another program": (lambda header, texts: texts.update(format="pt"), "a safetensors file of another program"),
    "no structure": (lambda header, texts: texts.pop("structure"), "wrong entries ('structure')"),
    "unlisted weights": (unlisted, "damaged weights 'extra/kernel', 'conv2d"),
    "a renamed weight": (rename, "no 'conv2d"),
    "another shape": (entry(shape=[2, 3, 1, 2]), "/kernel' as float32 (2, 3, 1, 2) instead of float32 (3, 2, 1, 2)"),
    "another type": (entry(dtype="I32"), "/kernel' as int32 (3, 2, 1, 2) instead of float32 (3, 2, 1, 2)"),
    "a type of no array": (entry(dtype="BF16", shape=[3, 2, 1, 4]), "which its header does not expect"),
    "a type of no kind": (entry(dtype="X"), "which its header does not expect"),
    "offsets beyond the file": (entry(data_offsets=[0, 1 << 40], shape=[1 << 38]), "which its header does not expect"),
    "a shape beyond all numbers": (entry(shape=[1 << 62, 1 << 62]), "which its header does not expect"),
    "unknown classes": (
        structure(lambda s: [s.update(class_name="Popen"), s["config"]["layers"][1].update(class_name="os.system")]),
        "the unknown classes 'Popen', 'os.system'",
    ),
    "a class that is no layer": (layer(1, class_name="Call"), "the unknown classes 'Call'"),
    "the class of all layers": (layer(1, class_name="Layer"), "a structure that cannot be built"),
    "an argument too many": (
        layer(1, config={"filters": 2, "kernel_size": 3, "colour": 1}),
        "cannot be built (UnknownArgumentError",
    ),
    "a negative size": (layer(1, config={"filters": -2, "kernel_size": 3}), "cannot be built (ArgumentError"),
    "an unknown activation": (layer(1, config={"filters": 2, "kernel_size": 3, "activation": "eval"}), "'eval' is not"),
    "a size beyond all memory": (layer(-1, config={"units": 1 << 50}), "a structure that cannot be built"),
    "fewer layers": (structure(lambda s: s["config"]["layers"].pop()), "which the model lacks"),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_header_is_refused_although_its_digest_is_right(path, case):
    change, text = FORGED[case]
    forge(path, change)
    assert text in refusal(path)


@pytest.mark.parametrize("place", ["structure", "metadata", "digests"])
def test_a_header_nested_deeper_than_the_stack_is_refused(path, place):
    forge(path, lambda header, texts: texts.update({place: '{"class_name":"a","config":' + "[" * 100_000}))
    assert "a header with wrong entries" in refusal(path)
    path.write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000)
    assert "a damaged header or a file of another kind" in refusal(path)


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


KINDS = {
    "an ONNX model": (b"\x08\x08\x12\x07tf2onnx\x1a\x05" + bytes(100), "got an ONNX model; fc.onnx.load or "),
    "a pickle": (pickle.dumps(Bomb()), "got a pickle; open it with the program that wrote it"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "got an HDF5 file (.h5) that cannot be read"),
    "a zip archive": (b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(100), "got a zip archive (.keras) that is damaged"),
    "bare safetensors": (safetensors.numpy.save({"a": np.zeros(3)}), "a safetensors file of another program"),
    "PyTorch's safetensors": (safetensors.numpy.save({"a": np.zeros(3)}, {"format": "pt"}), "of another program"),
    "nothing": (b"", "got 0 bytes that are cut short, damaged or of another kind"),
    "text": (b"no model here", "got 13 bytes"),
    "zeros": (bytes(64), "a damaged header or a file of another kind"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_refused_by_its_kind(path, monkeypatch, kind):
    monkeypatch.chdir(path.parent)
    content, text = KINDS[kind]
    path.write_bytes(content)
    assert text in refusal(path)
    assert not (path.parent / "exploded").exists()


def test_what_is_no_file_is_refused(tmp_path):
    assert "got no file; name the file itself" in refusal(tmp_path / "absent.safetensors")
    assert "got a folder; name the file itself" in refusal(tmp_path)
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe.safetensors")
        assert "got no file" in refusal(tmp_path / "pipe.safetensors")


@pytest.mark.parametrize("length", [1 << 63, (1 << 64) - 1, 1 << 40, 99_999_999])
def test_a_length_that_the_file_does_not_have_allocates_nothing(path, length):
    path.write_bytes(length.to_bytes(8, "little") + b'{"__metadata__":{}}')
    tracemalloc.start()
    refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_header_beyond_the_limit_of_the_format_is_not_read(path):
    with path.open("wb") as file:
        file.write((1 << 40).to_bytes(8, "little"))
        file.truncate(1 << 41)  # sparse: the file does have as many bytes
    tracemalloc.start()
    refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
