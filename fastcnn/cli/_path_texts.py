"""Paths as files of text can hold them: one with bytes that are no UTF-8 as a URL, which comes back the same."""

import os
from urllib.parse import quote, unquote_to_bytes

_FILE_URL = "file://"


def as_text(path: str) -> str:
    """Return a path as JSON and TOML can hold it: ``file:///data/caf%E9`` where it is no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _FILE_URL + quote(os.fsencode(path))
    return path


def as_path(text: str) -> str:
    """Return the path that `as_text` was given."""
    return os.fsdecode(unquote_to_bytes(text.removeprefix(_FILE_URL))) if text.startswith(_FILE_URL) else text
