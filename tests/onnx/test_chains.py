"""Chains of nodes put together at random: whatever is recognized in them, the numbers stay the file's."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from fastcnn.errors import ModelFileError
from fastcnn.onnx import backend, load
from tests.onnx.files import file, node

ONE = ["Abs", "Relu", "Sigmoid", "Tanh", "Softplus", "Neg", "Erf", "Exp", "Sign", "Identity", "Softsign", "HardSigmoid"]
TWO = ["Add", "Sub", "Mul", "Div", "Max", "Min"]
CONSTANTS = {"zero": 0.0, "half": 0.5, "one": 1.0, "three": 3.0, "six": 6.0, "sixth": 1 / 6, "minus": -1.0}


def chain(draw):
    """Return the nodes of a random graph of one input, x, whose output is y."""
    names, nodes = ["x"], []
    pick = lambda among: str(among[draw.integers(len(among))])
    for at in range(int(draw.integers(2, 9))):
        recent = pick(names[-2:])
        kind = draw.random()
        if kind < 0.35:
            nodes.append(node(pick(ONE), recent, f"v{at}"))
        elif kind < 0.75:
            pair = [recent, pick(list(CONSTANTS) if draw.random() < 0.6 else names)]
            nodes.append(node(pick(TWO), " ".join(pair[:: int(draw.choice([1, -1]))]), f"v{at}"))
        elif kind < 0.85:
            nodes.append(node("Clip", f"{recent} {pick(['zero', 'minus'])} {pick(['one', 'six'])}", f"v{at}"))
        else:
            nodes += [node(pick(["Greater", "LessOrEqual"]), f"{recent} {pick(list(CONSTANTS))}", f"c{at}"),
                      node("Where", f"c{at} {pick(names)} {pick([*names, 'zero'])}", f"v{at}")]
        names.append(f"v{at}")
    nodes[-1].output[0] = "y"
    return nodes


@pytest.mark.parametrize("seed", range(40))
def test_a_random_chain_computes_what_its_nodes_do(seed):
    draw = np.random.default_rng(seed)
    nodes = chain(draw)
    used = {name for one in nodes for name in one.input}
    weights = {name: np.float32(value) for name, value in CONSTANTS.items() if name in used}
    x = np.concatenate([3 * draw.standard_normal((2, 30)), [np.linspace(-7, 7, 30)]]).astype(np.float32)
    proto = file(nodes, (30,), weights, opset=18)
    if "x" not in used:
        pytest.skip("a chain that lost its input on the way")
    if any(one.op_type == "Div" and one.input[1] == "zero" for one in nodes):
        with pytest.raises(ModelFileError, match="finite"):
            load(proto)
        return
    model = load(proto)
    want, got = backend.run_model(proto, [x])[0], model.predict(x)
    # Where the file's own order overflows or divides by 0 another order may not; bounds and steps are next to others.
    with np.errstate(all="ignore"):
        near = backend.run_model(proto, [x * np.float32(1 + 1e-5)])[0]
        steady = np.isfinite(want) & np.isfinite(near) & (np.abs(want) < 1e6) & (np.abs(near - want) <= 1e-3 * (
            1 + np.abs(want)))
    np.testing.assert_allclose(got[steady], want[steady], rtol=2e-4, atol=2e-5)
