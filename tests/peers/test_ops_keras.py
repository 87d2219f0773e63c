"""Every operation of fastcnn.ops beside Keras's own, over the table of `tests.ops`: values, shapes, types, errors."""

import inspect

import numpy as np
import pytest

import fastcnn as fc
from tests.ops import table

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers

#: Keras's PyTorch back end computes these in float32 whatever their type, or with constants of single precision.
TOLERANCE = 2e-5


#: Rows in which Keras on PyTorch is not what Keras says, and what it is.
APART = {"count_nonzero": "its result is transposed", "transpose of all": "PyTorch warns of x.T",
         "get_item": "PyTorch has no negative steps", "top_k, places": "places are int64, int32 on other back ends"}


def numbers(result):
    return result.detach().cpu().resolve_conj().numpy()


@pytest.mark.parametrize("name", [name for name in table.TABLE if name not in APART])
def test_values_shapes_and_types_are_keras_s(name, monkeypatch):
    row = table.TABLE[name]
    arrays = [x.astype(np.float32) if x.dtype == float else x for x in row.arrays]
    found = row.run(*arrays)
    monkeypatch.setattr(table, "ops", keras.ops)
    expected = numbers(row.run(*[torch.from_numpy(np.array(x)) for x in arrays]))
    assert found.shape == expected.shape
    size = max(1.0, np.abs(expected[np.isfinite(expected)].astype(float)).max(initial=0.0))
    np.testing.assert_allclose(np.asarray(found, float), expected.astype(float), rtol=0, atol=TOLERANCE * size)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("name", sorted(set(fc.ops.__all__) - {"image", "nn"}))
def test_arguments_have_keras_s_names_order_and_defaults(name):
    ours, theirs = (list(inspect.signature(getattr(m.ops, name)).parameters.values()) for m in (fc, keras))
    told = {p.name: p for p in ours}
    order = [p.name for p in theirs if p.name in told]
    assert order == [p.name for p in ours if p.name in order]
    missing = {p.name for p in theirs if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - set(told)
    assert missing <= {"sparse", "ragged", "synchronized"}, missing
    for p in theirs:
        if p.name in told and p.default is not p.empty and not isinstance(p.default, float):
            assert told[p.name].default == p.default, p.name


@pytest.mark.parametrize("use", [
    lambda ops: ops.reshape(np.ones(4), (3, 2)), lambda ops: ops.concatenate([np.ones((2, 3)), np.ones((3, 2))], 0),
    lambda ops: ops.matmul(np.ones((2, 3)), np.ones((2, 3))), lambda ops: ops.add(np.ones(3), np.ones(4)),
    lambda ops: ops.transpose(np.ones((2, 3)), (0, 0)),
    lambda ops: ops.categorical_crossentropy(np.ones((2, 3)), np.ones((2, 4))),
    lambda ops: ops.split(np.ones(5), 2),
], ids=["reshape", "concatenate", "matmul", "add", "transpose", "categorical_crossentropy", "split"])
def test_what_keras_refuses_is_refused(use):
    with pytest.raises(Exception):  # noqa: B017 - of which class is Keras's back end's affair
        use(keras.ops)
    with pytest.raises(fc.errors.ArgumentError):
        use(fc.ops)
