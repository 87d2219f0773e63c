"""What stands between tensors and parameters, as +, *, <, @, [..]: operations of `fastcnn.ops`, which lies above."""

from typing import Any

from fastcnn import _hooks


class OperatorMethods:
    """What stands between tensors and parameters as +, *, <, [..]: operations of `fastcnn.ops`, by their names."""

    def __add__(self, other: Any) -> Any:
        return operation("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return operation("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return operation("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return operation("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return operation("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return operation("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return operation("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return operation("divide", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return operation("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return operation("floor_divide", other, self)

    def __mod__(self, other: Any) -> Any:
        return operation("mod", self, other)

    def __rmod__(self, other: Any) -> Any:
        return operation("mod", other, self)

    def __pow__(self, other: Any) -> Any:
        return operation("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return operation("power", other, self)

    def __matmul__(self, other: Any) -> Any:
        return operation("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return operation("matmul", other, self)

    def __neg__(self) -> Any:
        return operation("negative", self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return operation("abs", self)

    def __lt__(self, other: Any) -> Any:
        return operation("less", self, other)

    def __le__(self, other: Any) -> Any:
        return operation("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return operation("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return operation("greater_equal", self, other)

    def __and__(self, other: Any) -> Any:
        return operation("logical_and", self, other)

    def __or__(self, other: Any) -> Any:
        return operation("logical_or", self, other)

    def __xor__(self, other: Any) -> Any:
        return operation("logical_xor", self, other)

    def __invert__(self) -> Any:
        return operation("logical_not", self)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __getitem__(self, key: Any) -> Any:
        return _hooks.hooks["operation"]("get_item")(self, key)


def operation(name: str, *operands: Any) -> Any:
    """Return an operation of `fastcnn.ops`, by its name; of what is no operand, NotImplemented.

    Parameters
    ----------
    name : str
    *operands
    """
    if any(operand is NotImplemented or isinstance(operand, str) for operand in operands):
        return NotImplemented
    return _hooks.hooks["operation"](name)(*operands)
