"""The picture of a model: well-formed, complete, and without boxes that overlap."""

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.models import plot_layout
from tests.models.test_functional import MODELS, model_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("kind", MODELS)
def test_a_picture_has_every_layer_and_is_xml(kind, tmp_path):
    model = model_of(kind)
    path = fc.utils.plot_model(model, tmp_path / "m.svg", show_layer_names=True, show_shapes=True)
    root = ET.parse(path).getroot()
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert {layer.name for layer in model.layers} <= set(texts)
    boxes = [r for r in root.iter(f"{SVG}rect") if "x" in r.attrib]
    assert len(boxes) == len(model.traced.nodes) + len(model.inputs)
    arrows = [p for p in root.iter(f"{SVG}path") if "marker-end" in p.attrib]
    assert len(arrows) == sum(len(node.inputs) for node in model.traced.nodes)


def test_models_inside_are_opened_if_wanted(tmp_path):
    path = fc.utils.plot_model(model_of("nested"), tmp_path / "m.svg", expand_nested=True)
    assert "branch/conv" in path.read_text()
    assert "inner/conv" in path.read_text()


def test_boxes_never_overlap_and_arrows_go_down():
    draw = np.random.default_rng(0)
    for _ in range(20):
        count = int(draw.integers(2, 30))
        widths = draw.uniform(20, 90, count)
        edges = [(int(draw.integers(0, k)), k) for k in range(1, count) for _ in range(int(draw.integers(1, 3)))]
        found = plot_layout.layered(widths, edges, 30, 10)
        for a in range(count):
            for b in range(a):
                (xa, ya), (xb, yb) = found.boxes[a], found.boxes[b]
                assert abs(ya - yb) >= 30 or abs(xa - xb) >= (widths[a] + widths[b]) / 2 + 9.99
            assert widths[a] / 2 - 1e-6 <= found.boxes[a][0] <= found.width - widths[a] / 2 + 1e-6
        for points in found.edges:
            assert all(y0 < y1 for (_, y0), (_, y1) in itertools.pairwise(points))


#: Widths of boxes 31 high and 10 apart, edges between them, and where boxes and edges are expected.
LAID_OUT = {
    "a chain stands in one line": (
        [40, 60, 20], [(0, 1), (1, 2)], [(30, 15.5), (30, 66.5), (30, 117.5)],
        [[(30, 31), (30, 51)], [(30, 82), (30, 102)]], (60, 133)),
    "a fork and a join stand in the middle of their branches": (
        [40] * 4, [(0, 1), (0, 2), (1, 3), (2, 3)], [(45, 15.5), (20, 66.5), (70, 66.5), (45, 117.5)],
        [[(45, 31), (20, 51)], [(45, 31), (70, 51)], [(20, 82), (45, 102)], [(70, 82), (45, 102)]], (90, 133)),
    "a skip passes beside the box that it skips": (
        [40] * 3, [(0, 1), (1, 2), (0, 2)], [(39.5, 15.5), (20, 66.5), (39.5, 117.5)],
        [[(39.5, 31), (20, 51)], [(20, 82), (39.5, 102)], [(39.5, 31), (59, 51), (59, 82), (39.5, 102)]], (68, 133)),
    "boxes that nothing connects stand side by side": ([10, 20], [], [(5, 15.5), (30, 15.5)], [], (40, 31)),
    "edges do not cross where they need not": (
        [40] * 4, [(0, 3), (1, 2)], [(20, 15.5), (70, 15.5), (70, 66.5), (20, 66.5)],
        [[(20, 31), (20, 51)], [(70, 31), (70, 51)]], (90, 82)),
    "what stands close together is pushed aside, around its mean": (
        [40, 30, 20, 50], [(0, 1), (0, 2), (0, 3)], [(160 / 3, 15.5), (15, 66.5), (50, 66.5), (95, 66.5)],
        [[(160 / 3, 31), (15, 51)], [(160 / 3, 31), (50, 51)], [(160 / 3, 31), (95, 51)]], (120, 82)),
}  # fmt: skip


@pytest.mark.parametrize("case", LAID_OUT)
def test_boxes_and_edges_of_a_small_drawing_are_where_one_would_put_them(case):
    widths, edges, boxes, lines, size = LAID_OUT[case]
    found = plot_layout.layered(widths, edges, 31, 10)
    np.testing.assert_allclose(found.boxes, boxes, atol=1e-9)  # a few sums and means of whole numbers
    assert (found.width, found.height) == (pytest.approx(size[0]), size[1])
    assert len(found.edges) == len(lines)
    for got, wanted in zip(found.edges, lines, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-9)


def test_a_box_tells_what_is_asked_for_within_its_frame_and_the_picture_holds_all_boxes(tmp_path):
    x = fc.Input((8, 8, 3), name="x")
    y = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    y = layers.BatchNormalization(trainable=False, name="norm")(layers.GlobalMaxPooling2D(name="pool")(y))
    model = fc.Model(x, layers.Softmax(name="end")(y), name="a <small> net")
    everything = {"show_shapes": True, "show_dtype": True, "show_layer_names": True, "show_layer_activations": True,
                  "show_trainable": True}
    told = [["InputLayer", "x", "8x8x3", "float32"],
            ["Conv2D", "conv", "relu", "8x8x3 → 6x6x4", "float32", "trainable"],
            ["GlobalMaxPooling2D", "pool", "6x6x4 → 4", "float32"],
            ["BatchNormalization", "norm", "4 → 4", "float32", "frozen"],
            ["Softmax", "end", "softmax", "4 → 4", "float32"]]
    for more, expected in (({}, [lines[:1] for lines in told]), (everything, told)):
        root = ET.parse(fc.utils.plot_model(model, tmp_path / "m.svg", **more)).getroot()
        assert root.find(f"{SVG}title").text == "a <small> net"
        frames = [r.attrib for r in root.iter(f"{SVG}rect") if "x" in r.attrib]
        texts = [(t.text, float(t.get("x")), float(t.get("y")), t.get("font-weight")) for t in root.iter(f"{SVG}text")]
        assert [text for text, *_ in texts] == [line for lines in expected for line in lines]
        assert len({frame["height"] for frame in frames}) == 1, "the boxes are of one height"
        for frame, lines in zip(frames, expected, strict=True):
            left, top, width, height = (float(frame[key]) for key in ("x", "y", "width", "height"))
            inside, texts = texts[:len(lines)], texts[len(lines):]
            assert [weight for *_, weight in inside] == ["bold"] + [None] * (len(lines) - 1)
            assert all(x == pytest.approx(left + width / 2, abs=0.11) for _, x, _, _ in inside)
            ys = [y for _, _, y, _ in inside]
            assert top + 12 < ys[0]
            assert ys[-1] < top + height - 4
            assert (ys[0] - 4 + ys[-1] - 4) / 2 == pytest.approx(top + height / 2, abs=0.11), "in the middle"
            assert width == pytest.approx(7.2 * max(map(len, lines)) + 2 * 9, abs=0.11), "9 on each side of the letters"
            assert 0 <= left <= left + width <= float(root.get("width")) - 24 + 0.5
            assert 0 <= top <= top + height <= float(root.get("height")) - 24 + 0.5
        colours = [frame["fill"] for frame in frames]
        assert len(set(colours)) == 5, "a colour for each kind of layer"


def test_a_model_that_is_not_built_or_none_is_not_drawn(tmp_path):
    for given, text in ((fc.Sequential([layers.Dense(2)]), "expected a built model"), ("net", "a model, got 'net'")):
        with pytest.raises(ArgumentError, match=text):
            fc.utils.plot_model(given, tmp_path / "m.svg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("path", "more", "text"), [("m.txt", {}, ".svg"), ("m.svg", {"rankdir": "LR"}, "rankdir")])
def test_what_is_not_offered_is_told(path, more, text, tmp_path):
    with pytest.raises(ArgumentError, match=text):
        fc.utils.plot_model(model_of("residual"), tmp_path / path, **more)
    assert not list(tmp_path.iterdir())


def test_a_script_that_asks_for_png_goes_on_with_the_svg_beside_it(tmp_path):
    with pytest.warns(UserWarning, match=r"wrote m.svg in the place of m.png"):
        path = fc.utils.plot_model(model_of("residual"), tmp_path / "m.png")
    assert [path] == list(tmp_path.iterdir())
    assert path.name == "m.svg"
