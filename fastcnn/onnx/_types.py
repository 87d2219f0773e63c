"""Which values of a file are integers or truths: tensors of a model are all floats, which hold both.

Sums, products, comparisons and moves mean the same on floats that are whole; a quotient or a mean does not, so a node
that would compute one of integers is refused.
"""

from collections.abc import Sequence

from fastcnn.onnx._graph import OnnxNode

FLOAT, INTEGER, TRUTH = "floats", "integers", "truths"

_FLOATS = (1, 10, 11, 16)
_TRUTHS = {"And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "Xor"}

#: Operators that mean the same for floats that are whole numbers.
_ALIKE = _TRUTHS | {
    "Abs", "Add", "ArgMax", "ArgMin", "Cast", "Clip", "Concat", "Expand", "Flatten", "Gather", "Identity", "Max", "Min",
    "Mul", "Neg", "Pad", "Relu", "Reshape", "Shape", "Sign", "Size", "Slice", "Split", "Squeeze", "Sub", "Sum", "TopK",
    "Transpose", "Unsqueeze", "Where",
}


def type_of_cast(to: int) -> str:
    """Return what the type of a Cast node is here."""
    return FLOAT if to in _FLOATS else TRUTH if to == 9 else INTEGER


def suits(node: OnnxNode, types: Sequence[str]) -> bool:
    """Return whether a node means the same on floats, for inputs of these types."""
    return node.operator in _ALIKE or all(kind == FLOAT for kind in types)


def types_after(node: OnnxNode, types: Sequence[str]) -> list[str]:
    """Return the types of the outputs of a node, for inputs of these types."""
    if node.operator == "Cast":
        return [type_of_cast(node.attributes["to"])]
    if node.operator in _TRUTHS:
        return [TRUTH]
    if node.operator in ("ArgMax", "ArgMin"):
        return [INTEGER]
    if node.operator == "TopK":
        return [types[0], INTEGER]
    if node.operator == "Where":
        types = types[1:]
    return [next((kind for kind in types if kind != FLOAT), FLOAT)] * len(node.outputs)
