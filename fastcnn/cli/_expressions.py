"""Calls of layers, initializers, optimizers as a script writes them, in a flag or a file: ``Conv2D(64, 3)``.

Nothing is executed: a call has numbers, texts, lists, names that are known, arithmetic on numbers, and calls in it.
"""

import ast
import difflib
import inspect
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from fastcnn.errors import ArgumentError, unknown

_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.USub: operator.neg,
}  # fmt: skip


_MANY = 20  # names, which a sentence does not list


class CallError(ArgumentError):
    """What is wrong with a call.

    Attributes
    ----------
    text : str
        The call, as it was written: a file that has it can tell the line.
    """

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class Expression(NamedTuple):
    """A call that was read: ``Conv2D(64, 3, padding="same")``; of a name alone, ``ReLU``, without arguments.

    Attributes
    ----------
    name : str
    arguments : list of syntax trees
    keywords : dict of str to syntax trees
    text : str
    """

    name: str
    arguments: list[ast.expr]
    keywords: dict[str, ast.expr]
    text: str


def read(text: str, example: str) -> Expression:
    """Return the call that a text has.

    Raises
    ------
    ValueError
        If it has none; in words that go on after "got ...".
    """
    found = f"expected a call such as {example}, got {text!r}"
    tree: ast.expr
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(found) from None
    if isinstance(tree, ast.Name):
        return Expression(tree.id, [], {}, text)
    match tree:
        case ast.Call(ast.Name(name), arguments, keywords) if all(one.arg for one in keywords):
            return Expression(name, arguments, {one.arg: one.value for one in keywords if one.arg is not None}, text)
    raise ValueError(found)


def several(text: str, example: str) -> list[str]:
    """Return the texts of one call, or of several with commas between them.

    Raises
    ------
    ValueError
        As `read`.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    calls = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    texts = [text if one is None else ast.get_source_segment(text.strip(), one) or text for one in calls]
    for one in texts:
        read(one, example)
    return texts


def not_known(what: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence for an unknown name; where many are known it tells the nearest ones alone."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=5, cutoff=0.4) if len(known) > _MANY else []
    return unknown(what, name, near or known)


class Maker:
    """Makes things of calls.

    Parameters
    ----------
    classes : mapping of str to class or function
        What may be called.
    inner : mapping of str to class or function
        What may be called within the arguments: initializers, regularizers.
    names : mapping of str to object
        What else arguments may name.
    """

    def __init__(self, classes: Mapping[str, Any], inner: Mapping[str, Any] | None = None,
                 names: Mapping[str, Any] | None = None) -> None:
        self.classes, self.inner, self.names = classes, inner or {}, names or {}

    def make(self, call: Expression, what: str, **more: Any) -> Any:
        """Return what a call makes.

        Parameters
        ----------
        call : Expression
        what : str
            What is made, for the errors.
        **more
            Further arguments, which the call may not have.

        Raises
        ------
        CallError
            An unknown name, an argument that there is not, or one that cannot be.
        """
        if call.name not in self.classes:
            raise CallError(not_known(what, call.name, self.classes), call.text)
        try:
            return self._called(self.classes[call.name], call.arguments, call.keywords, f"{what} {call.text!r}", more)
        except ArgumentError as error:
            raise CallError(str(error), call.text) from error

    def _called(self, kind: Any, arguments: list[ast.expr], keywords: Mapping[str, ast.expr], who: str,
                more: Mapping[str, Any]) -> Any:
        signature = inspect.signature(kind)
        known = [p.name for p in signature.parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        for name in keywords:
            if name in more:
                raise ArgumentError(f"{who}: expected no {name}, which has a flag of its own; leave it out")
            if name not in known and not takes_any:
                raise ArgumentError(not_known(f"{who}: argument", name, known))
        positional = [self._value(one, who) for one in arguments]
        named = {name: self._value(one, who) for name, one in keywords.items()} | dict(more)
        try:
            signature.bind(*positional, **named)
        except TypeError as error:
            raise ArgumentError(f"{who}: {error}; it takes {', '.join(known)}") from None
        try:
            return kind(*positional, **named)
        except (TypeError, ValueError) as error:  # ArgumentError among them
            raise ArgumentError(f"{who}: {error}") from error

    def _value(self, tree: ast.expr, who: str) -> Any:
        value = lambda one: self._value(one, who)
        match tree:
            case ast.Constant(bool() | int() | float() | str() | None as constant):
                return constant
            case ast.List(elements):
                return [value(one) for one in elements]
            case ast.Tuple(elements):
                return tuple(value(one) for one in elements)
            case ast.Dict(keys, values) if all(keys):
                return {value(key): value(one) for key, one in zip(keys, values, strict=True) if key is not None}
            case ast.Name(name):
                if name in self.names:
                    return self.names[name]
                if name in self.inner:
                    return self._called(self.inner[name], [], {}, f"{who}: {name}", {})
                raise ArgumentError(not_known(f"{who}: name", name, [*self.names, *self.inner]))
            case ast.Call(ast.Name(name), arguments, keywords) if all(one.arg for one in keywords):
                if name not in self.inner:
                    raise ArgumentError(not_known(f"{who}: function", name, self.inner))
                named = {one.arg: one.value for one in keywords if one.arg is not None}
                return self._called(self.inner[name], arguments, named, f"{who}: {name}", {})
            case ast.UnaryOp(ast.USub(), operand):
                return self._computed(operator.neg, [value(operand)], who)
            case ast.BinOp(left, sign, right) if type(sign) in _OPERATORS:
                return self._computed(_OPERATORS[type(sign)], [value(left), value(right)], who)
        raise ArgumentError(f"{who}: expected numbers, texts, lists, names and calls, got {ast.unparse(tree)!r}")

    @staticmethod
    def _computed(function: Callable[..., Any], numbers: list[Any], who: str) -> Any:
        if not all(isinstance(one, int | float) for one in numbers):
            raise ArgumentError(f"{who}: expected arithmetic on numbers, got {', '.join(map(repr, numbers))}")
        try:
            return function(*numbers)
        except ArithmeticError as error:
            raise ArgumentError(f"{who}: {error}") from None
