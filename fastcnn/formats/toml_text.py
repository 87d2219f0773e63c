"""A table as TOML: keys and values, a line each."""

import json
from collections.abc import Mapping
from typing import Any


def text(table: Mapping[str, Any]) -> str:
    """Return the lines ``key = value`` of a table whose keys are letters, digits and dashes."""
    return "".join(f"{key} = {value_text(value)}\n" for key, value in table.items())


def value_text(value: Any) -> str:
    """Return a text, number, truth value or a list of them as TOML has it; lists have a line for each element."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + "".join(f"\n    {value_text(one)}," for one in value) + "\n]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # the one character that JSON may have
    return repr(value)
