"""Products of matrices and of tensors: matmul, dot, tensordot, einsum."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.geometry.tensor_shapes import from_front, together
from fastcnn.operations import division
from fastcnn.operations.matrix_product import matrix_product
from fastcnn.ops.arithmetic import multiply
from fastcnn.ops.casting import meet
from fastcnn.ops.primitive import is_floating, on_host, primitive, same
from fastcnn.ops.reduction import sum as total
from fastcnn.ops.shaping import reshape, transpose


def _product_shape(a: Any, b: Any) -> Any:
    if len(a) < 2 or len(b) < 2 or (a[-1] != b[-2] and None not in (a[-1], b[-2])):
        raise ArgumentError(f"ops.matmul: expected matrices (.., M, K) and (.., K, N), got {tuple(a)} and {tuple(b)}")
    return *together((a[:-2], b[:-2]), "ops.matmul"), a[-2], b[-1]


@primitive(_product_shape, same, onnx=lambda w, names, shapes: w.node("MatMul", names))
def _matmul(a: Any, b: Any) -> Any:
    shape = _product_shape(a.shape, b.shape)
    if not is_floating(a):
        return on_host(np.matmul, a, b), None
    of_a, of_b = a.shape, b.shape
    if b.ndim == 2:  # one matrix for all: all rows are those of one
        left, right = a.reshape(1, math.prod(of_a[:-1]), of_a[-1]), b.reshape(1, *of_b)
    else:
        left, right = (division.broadcast_to(x, (*shape[:-2], *x.shape[-2:])) for x in (a, b))
        left, right = (x.reshape(math.prod(shape[:-2]), *x.shape[-2:]) for x in (left, right))
    y, back = matrix_product(left, right)
    whole = y.shape

    def backward(dy: Any) -> Any:
        da, db = back(dy.reshape(whole))
        if len(of_b) == 2:
            return da.reshape(of_a), db.reshape(of_b)
        return (division.reduced_to(da.reshape(*shape[:-2], *of_a[-2:]), of_a),
                division.reduced_to(db.reshape(*shape[:-2], *of_b[-2:]), of_b))

    return y.reshape(shape), backward


def matmul(x1: Any, x2: Any) -> Any:
    """Return the matrix product of the last two dimensions; those before them broadcast.

    Parameters
    ----------
    x1, x2 : arrays or tensors
        A vector is a row on the left, a column on the right.

    Examples
    --------
    >>> fc.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
    array([[11.]], dtype=float32)
    """
    x1, x2 = meet("ops.matmul", x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        raise ArgumentError(f"ops.matmul: expected matrices or vectors, got {tuple(x1.shape)} and {tuple(x2.shape)}")
    left = reshape(x1, (1, *x1.shape)) if x1.ndim == 1 else x1
    right = reshape(x2, (*x2.shape, 1)) if x2.ndim == 1 else x2
    y = _matmul(left, right)
    if x1.ndim == 1 or x2.ndim == 1:
        kept = list(y.shape[:-2]) + ([] if x1.ndim == 1 else [y.shape[-2]]) + ([] if x2.ndim == 1 else [y.shape[-1]])
        y = reshape(y, kept)
    return y


def dot(x1: Any, x2: Any) -> Any:
    """Return the sums of products along the last axis of x1 and the last but one of x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.dot([1.0, 2.0], [3.0, 4.0])
    array(11., dtype=float32)
    """
    x1, x2 = meet("ops.dot", x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return multiply(x1, x2)
    return tensordot(x1, x2, ([x1.ndim - 1], [max(0, x2.ndim - 2)]))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Return the sums of products along axes of both.

    Parameters
    ----------
    x1, x2 : arrays or tensors
    axes : int, or (axes of x1, axes of x2)
        So many of the last axes of x1 and the first ones of x2.

    Examples
    --------
    >>> fc.ops.tensordot(np.ones((2, 3), "float32"), np.ones((3, 4), "float32"), 1).shape
    (2, 4)
    """
    x1, x2 = meet("ops.tensordot", x1, x2)
    if is_integer(axes):
        axes = list(range(x1.ndim - axes, x1.ndim)), list(range(axes))
    of_1, of_2 = ([from_front(k, x.ndim, "ops.tensordot") for k in (one if isinstance(one, (tuple, list)) else [one])]
                  for x, one in zip((x1, x2), axes, strict=True))
    rest_1, rest_2 = ([k for k in range(x.ndim) if k not in of] for x, of in ((x1, of_1), (x2, of_2)))
    if len(of_1) != len(of_2):
        raise ArgumentError(f"ops.tensordot: expected as many axes of both, got {axes!r}")
    length = _product([x1.shape[k] for k in of_1])
    shape = [x1.shape[k] for k in rest_1] + [x2.shape[k] for k in rest_2]
    left = reshape(transpose(x1, rest_1 + of_1), [-1 if None in (x1.shape[k] for k in rest_1) else _product(
        [x1.shape[k] for k in rest_1]), length])
    right = reshape(transpose(x2, of_2 + rest_2), [length, _product([x2.shape[k] for k in rest_2])])
    return reshape(_matmul(left, right), shape)


def _product(lengths: Any) -> int:
    if None in lengths:
        raise ArgumentError("ops.tensordot: expected axes of known length, got one along the batch")
    return math.prod(lengths)


def einsum(subscripts: str, *operands: Any) -> Any:
    """Return the sums of products that letters tell: "ij,jk->ik" is the product of matrices.

    Parameters
    ----------
    subscripts : str
        A letter for each axis, those of the result after "->". "..." stands for axes that broadcast.
    *operands : arrays or tensors

    Raises
    ------
    ArgumentError
        If letters and axes do not agree, or a letter stands twice in one operand.

    Examples
    --------
    >>> fc.ops.einsum("ij,jk->ik", np.ones((2, 3), "float32"), np.ones((3, 2), "float32"))
    array([[3., 3.],
           [3., 3.]], dtype=float32)
    """
    given = meet("ops.einsum", *operands)
    names, result = _letters(subscripts, given)
    left, mine = given[0], names[0]
    for k, (right, its) in enumerate(zip(given[1:], names[1:], strict=True)):
        later = set("".join(names[k + 2:])) | set(result)
        left, mine = _pair(left, mine, right, its, later)
    gone = [axis for axis, letter in enumerate(mine) if letter not in result]
    if gone:
        left, mine = total(left, tuple(gone)), "".join(letter for letter in mine if letter in result)
    return transpose(left, [mine.index(letter) for letter in result]) if mine != result else left


def _letters(subscripts: str, operands: Any) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result, with capital ones for what "..." stands for."""
    told, arrow, result = subscripts.replace(" ", "").partition("->")
    names = told.split(",")
    if len(names) != len(operands):
        raise ArgumentError(f"ops.einsum: expected {len(names)} operands for {subscripts!r}, got {len(operands)}")
    spare, most = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts], 0
    for k, (letters, x) in enumerate(zip(names, operands, strict=True)):
        count = x.ndim - len(letters.replace("...", ""))
        if (count and "..." not in letters) or count < 0:
            raise ArgumentError(f"ops.einsum: expected an operand of {len(letters)} axes for {letters!r}, got "
                                f"{tuple(x.shape)}")
        most = max(most, count)
        names[k] = letters.replace("...", "".join(reversed(spare[:count])))
    whole = "".join(names)
    if not arrow:
        result = ("..." if "..." in told else "") + "".join(sorted(c for c in set(whole) if whole.count(c) == 1
                                                                   and c not in spare))
    result = result.replace("...", "".join(reversed(spare[:most])))
    twice = next((letters for letters in names if len(set(letters)) < len(letters)), None)
    if twice is not None or len(set(result)) < len(result) or set(result) - set(whole):
        raise ArgumentError(f"ops.einsum: expected each letter once in an operand and in the result, got "
                            f"{subscripts!r}; the diagonal of a tensor is not offered")
    return names, result


def _pair(a: Any, of_a: str, b: Any, of_b: str, later: set[str]) -> tuple[Any, str]:
    """Return the product of two operands, summed along what no other and not the result has, and its letters."""
    for letters, other in ((of_a, of_b), (of_b, of_a)):
        gone = tuple(axis for axis, c in enumerate(letters) if c not in other and c not in later)
        if gone and letters is of_a:
            a, of_a = total(a, gone), "".join(c for c in letters if c in other or c in later)
        elif gone:
            b, of_b = total(b, gone), "".join(c for c in letters if c in other or c in later)
    shared = [c for c in of_a if c in of_b]
    batch, summed = [c for c in shared if c in later], [c for c in shared if c not in later]
    rest_a, rest_b = [c for c in of_a if c not in shared], [c for c in of_b if c not in shared]
    size = dict(zip(of_b, b.shape, strict=True)) | dict(zip(of_a, a.shape, strict=True))
    left = transpose(a, [of_a.index(c) for c in batch + rest_a + summed])
    right = transpose(b, [of_b.index(c) for c in batch + summed + rest_b])
    open_ = [c for c in size if size[c] is None]
    if len(open_) > 1 or (open_ and open_[0] in summed):
        raise ArgumentError("ops.einsum: expected sums along axes of known length, got one along the batch")
    many = lambda letters: -1 if open_ and open_[0] in letters else math.prod(size[c] for c in letters)
    if (open_ and open_[0] in batch and len(batch) > 1) or not batch:
        shape_a, shape_b = [many(rest_a), many(summed)], [many(summed), many(rest_b)]
        if batch:
            raise ArgumentError("ops.einsum: expected the batch alone to be shared, got other axes beside it")
    else:
        shape_a, shape_b = [many(batch), many(rest_a), many(summed)], [many(batch), many(summed), many(rest_b)]
    y = _matmul(reshape(left, shape_a), reshape(right, shape_b))
    found = batch + rest_a + rest_b
    return reshape(y, [size[c] for c in found]), "".join(found)
