"""The table of a model: its rows, its totals, and sizes as people read them."""

import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.models.summary import SummaryRow, rows, size_text
from tests.models.test_functional import model_of


def small():
    fc.utils.set_random_seed(0)  # names count anew
    x = fc.Input((8, 8, 3), name="x")
    inner = fc.Sequential([fc.Input((8, 8, 4), name="begin"), layers.Conv2D(4, 3, padding="same", name="c2"),
                           layers.BatchNormalization(name="bn")], name="inner")
    h = layers.Conv2D(4, 3, padding="same", use_bias=False, name="c1", trainable=False)(x)
    return fc.Model(x, layers.Flatten(name="f")(layers.Add(name="sum")([inner(h), h])), name="net")


IMAGE = (None, 8, 8, 4)
ROWS = [SummaryRow("x", "InputLayer", (None, 8, 8, 3), 0, 0, 4 * 192),
        SummaryRow("c1", "Conv2D", IMAGE, 108, 64 * 108, 4 * 256, ("x",), trainable=False),
        SummaryRow("inner", "Sequential", IMAGE, 164, 64 * 144, 4 * 256, ("c1",), trainable=True),
        SummaryRow("c2", "Conv2D", IMAGE, 148, 64 * 144, 4 * 256, ("begin",), 1, True),
        SummaryRow("bn", "BatchNormalization", IMAGE, 16, 0, 4 * 256, ("c2",), 1, True),
        SummaryRow("sum", "Add", IMAGE, 0, 0, 4 * 256, ("inner", "c1")),
        SummaryRow("f", "Flatten", (None, 256), 0, 0, 4 * 256, ("sum",))]  # fmt: skip


def test_a_row_tells_what_a_layer_gives_and_costs_and_models_inside_have_rows_of_their_own():
    assert rows(small(), expand_nested=True) == ROWS
    assert rows(small()) == [row for row in ROWS if not row.depth]


def printed(model, **more):
    lines = []
    model.summary(print_fn=lines.append, **more)
    (text,) = lines
    return text.splitlines()


def test_the_table_has_the_rows_and_their_totals():
    title, header, _, *body, _, total, weights, outputs, prediction = printed(small())
    assert title == 'Model "net", input (N, 8, 8, 3)'
    assert header.split() == ["layer", "class", "output", "shape", "parameters", "multiply-adds", "memory", "from"]
    assert [line.split()[0] for line in body] == ["x", "c1", "inner", "sum", "f"]
    assert body[1].split() == ["c1", "Conv2D", "(N,", "8,", "8,", "4)", "108", "6,912", "1.0", "KiB", "x"]
    assert total.split() == ["total", "272", "16,128", "4.8", "KiB"]
    assert weights == "parameters  156 trained, 116 others: 1,088 bytes of float32"
    assert outputs == "outputs     4,864 bytes a sample"
    # Layers are fused, and of the others' outputs no more than the two inputs of the sum are there at once.
    assert prediction == f"prediction  {len(small().prediction_graph().steps)} steps, whose outputs share 2,048 bytes"


def test_the_table_opens_models_and_tells_what_is_trained_if_asked():
    lines = printed(small(), expand_nested=True, show_trainable=True)
    body = lines[3:-5]
    assert [line.split()[0] for line in body] == ["x", "c1", "inner", "c2", "bn", "sum", "f"]
    assert body[3].startswith("  c2")
    assert [line.split()[-1] for line in body] == ["-", "no", "yes", "yes", "yes", "-", "-"]
    assert lines[-4].split() == ["total", "272", "16,128", "4.8", "KiB"], "what lies within is counted once"


def test_a_chain_needs_no_column_that_tells_where_tensors_come_from():
    chain = fc.Sequential([fc.Input((4,)), layers.Dense(300, name="d"), layers.Dense(2, name="o")])
    title, header, _, first, *_ = printed(chain)
    assert header.split()[-1] == "memory"
    assert first.split() == ["d", "Dense", "(N,", "300)", "1,500", "1,200", "1.2", "KiB"]
    assert title.endswith("input (N, 4)")


def test_a_model_of_several_inputs_tells_all_of_their_shapes():
    a, b = fc.Input((4,)), fc.Input((2,))
    assert printed(fc.Model([a, b], layers.Concatenate()([a, b])))[0].endswith("input (N, 4), (N, 2)")


@pytest.mark.parametrize(("size", "text"), [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1024**2 - 1, "1024.0 KiB"),
    (1024**2, "1.0 MiB"), (5 * 1024**3 // 2, "2.5 GiB"), (3000 * 1024**3, "3000.0 GiB")])
def test_a_size_is_told_in_the_largest_unit_that_it_has_one_of(size, text):
    assert size_text(size) == text


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
    x = layers.ReLU(name=name)(inputs)
    lines = []
    fc.Model(inputs, layers.Add()([layers.ReLU(name="next")(x), x])).summary(print_fn=lines.append)
    assert max(map(len, lines[0].splitlines())) < 250
    assert lines[0].count("beginxxx") == lines[0].count("xxxend") >= 2
    assert name not in lines[0]


def test_integers_of_a_quantized_model_count_by_their_bytes():
    inputs = fc.Input((4,))
    model = fc.Model(inputs, layers.QuantizedDense(3)(layers.QuantizeDequantize(0.1)(inputs)))
    told = []
    model.summary(print_fn=told.append)
    assert "parameters  0 trained, 18 others: 36 bytes of float32 and int8" in told[0]
