"""What belongs to a network that sees besides its weights: it stands in the metadata of the network's file."""

import os
from typing import Any

from fastcnn import saving
from fastcnn.errors import DataError


def settings_in(path: str | os.PathLike[str], key: str, kind: type, hint: str = "") -> dict[str, Any]:
    """Return what `save` of a class wrote beside the network.

    Parameters
    ----------
    path : path
    key : str
        Under which it stands.
    kind : type
        The class, for the message.
    hint : str
        What to do, where there is more to say than to name another file.

    Raises
    ------
    DataError
        If the file is a model alone, or that of another class.
    """
    told = saving.load_metadata(path).get(key)
    if not isinstance(told, dict):
        name = kind.__name__
        raise DataError(f"{name}.load: expected a file that {name}.save wrote, got {os.fspath(path)}, a model without "
                        f"such settings; {hint or 'name another file'}")
    return dict(told)
