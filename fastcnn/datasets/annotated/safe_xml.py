"""XML of annotations read without its dangers: no entities of its own, no other files, no end of depth or length."""

from collections.abc import Callable
from typing import NoReturn
from xml.parsers import expat

from fastcnn.errors import DataError

MOST_BYTES, _MOST_DEPTH = 16 << 20, 32
_MOST_TEXT = 10_000  # letters between two tags that are kept


def walk(data: bytes, who: str, enter: Callable[[tuple[str, ...], int], None],
         leave: Callable[[tuple[str, ...], str], None]) -> None:
    """Go through elements in order.

    Parameters
    ----------
    data : bytes
    who : str
        The file, for errors.
    enter : function of a path and a line
        The path has the names of the elements, from the root's on.
    leave : function of a path and a text
        That of the element itself, without white space around it.

    Raises
    ------
    DataError
        No XML, a damaged one, one that declares entities, or is too deep or too large.
    """
    if len(data) > MOST_BYTES:
        raise DataError(f"{who}: expected at most {MOST_BYTES >> 20} MB of XML, got {len(data):,} bytes")
    path, texts = list[str](), list[list[str]]()

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(path) >= _MOST_DEPTH:
            raise DataError(f"{who}, line {parser.CurrentLineNumber}: expected at most {_MOST_DEPTH} elements within "
                            f"one another, got more")
        path.append(name)
        texts.append([])
        enter(tuple(path), parser.CurrentLineNumber)

    def end(name: str) -> None:
        leave(tuple(path), "".join(texts.pop())[:_MOST_TEXT].strip())
        path.pop()

    def text(some: str) -> None:
        if texts and sum(map(len, texts[-1][-4:])) < _MOST_TEXT:
            texts[-1].append(some)

    def refused(*_: object) -> NoReturn:
        raise DataError(f"{who}, line {parser.CurrentLineNumber}: expected no entities, got a declaration of one; "
                        f"annotations need none, and they can fill the memory or read other files")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refused
    parser.UnparsedEntityDeclHandler = parser.NotationDeclHandler = refused
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # ValueError: an encoding that there is not
        if isinstance(error, DataError):
            raise
        raise DataError(f"{who}, line {parser.CurrentLineNumber}: expected whole XML, got a damaged one "
                        f"({error})") from None
