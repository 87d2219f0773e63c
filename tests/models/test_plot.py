"""The picture of a model: well-formed, complete, and without boxes that overlap."""

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import fastcnn as fc
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


@pytest.mark.parametrize(("path", "more", "text"), [("m.png", {}, ".svg"), ("m.svg", {"rankdir": "LR"}, "rankdir")])
def test_what_is_not_offered_is_told(path, more, text, tmp_path):
    with pytest.raises(ArgumentError, match=text):
        fc.utils.plot_model(model_of("residual"), tmp_path / path, **more)
    assert not list(tmp_path.iterdir())


def test_the_summary_tells_where_each_layer_gets_its_input():
    lines = []
    model = model_of("residual")
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    row = next(line for line in text.splitlines() if line.startswith("sum"))
    assert row.rstrip().endswith("inner, stem")
    assert "memory" in text
    assert f"{model.count_params():,}" in text


def test_the_summary_leaves_out_the_middle_of_names_that_nobody_reads_to_the_end():
    inputs = fc.Input((4,))
    name = "begin" + "x" * 900 + "end"
    x = fc.layers.ReLU(name=name)(inputs)
    lines = []
    fc.Model(inputs, fc.layers.Add()([fc.layers.ReLU(name="next")(x), x])).summary(print_fn=lines.append)
    assert max(map(len, lines[0].splitlines())) < 250
    assert lines[0].count("beginxxx") == lines[0].count("xxxend") >= 2
    assert name not in lines[0]
