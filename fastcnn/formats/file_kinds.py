"""What a file is, told by its first bytes, since its name says nothing; and what its name says of one to write."""

from pathlib import Path

HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_KINDS = {HDF5[:4]: "an HDF5 file (.h5)", ZIP: "a zip archive (as .keras, .pt and .npz are)", b"\x80": "a pickle"}
#: The suffixes of whole models of Keras, of weights alone, and of all whole models, fastcnn's own first.
KERAS, WEIGHTS = (".keras", ".h5"), ".weights.h5"
SUFFIXES = (".safetensors", *KERAS)


def suffix_of(path: Path) -> str:
    """Return what tells the form of a file to write: its suffix in small letters; that of weights alone has two parts.

    A file to read tells its form by its content.
    """
    return WEIGHTS if path.name.lower().endswith(WEIGHTS) else path.suffix.lower()


def is_keras_file(path: Path) -> bool:
    """Return whether a file begins as Keras's do: as HDF5 or as a zip archive."""
    try:
        if not path.is_file():  # a pipe would block forever
            return False
        with path.open("rb") as file:
            return file.read(8).startswith((HDF5, ZIP))
    except OSError:
        return False


def named(start: bytes) -> str | None:
    """Return what a file is whose first bytes tell it, in words; None if they do not."""
    return next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)


def begins_as_onnx(start: bytes) -> bool:
    """Return whether eight bytes are ONNX's first field, its version, and the tag of a text or a graph.

    A safetensors file that is cut short may begin with the same bytes, but the length that they are has zeros at its
    end: who asks compares that first.
    """
    return start[0] == 0x08 and start[1] < 0x80 and start[2] in b"\x12\x1a\x22\x32\x3a"
