"""An HDF5 file from anywhere, read by h5py and not believed.

Nothing in it is followed out of it (links, external storage, virtual arrays, filters of other programs), names are read
only where their type says that they are text, and an array is read only where its bytes lie in the file. (What HDF5's
own library does with a damaged file is beyond this.)
"""

from collections.abc import Callable
from typing import Any, NoReturn

_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}  # what HDF5 and h5py bring along
_RATIO, _BESIDE = 100, 1 << 20  # what compression may save: weights hardly give, zeros do


class Tree:
    """Groups, texts and arrays of an open file.

    Parameters
    ----------
    h5py : module
    file : h5py.File
    fault : function
        Raises the error for a file that is not what it should be, given what it is and what to do.
    """

    def __init__(self, h5py: Any, file: Any, fault: Callable[..., NoReturn]) -> None:
        self.h5py, self.root, self.fault = h5py, file, fault

    def names(self, group: Any, attribute: str) -> list[str]:
        """Return an attribute that lists names; a long one is in parts, with numbers."""
        parts = [attribute] if attribute in group.attrs else []
        while attribute not in group.attrs and f"{attribute}{len(parts)}" in group.attrs:
            parts.append(f"{attribute}{len(parts)}")
        return [name for part in parts if self._is_text(group, part) for name in map(_text, group.attrs[part])]

    def text(self, group: Any, attribute: str) -> str | None:
        """Return an attribute that is one text, None if there is none."""
        if attribute not in group.attrs or not self._is_text(group, attribute):
            return None
        return _text(group.attrs[attribute])

    def _is_text(self, group: Any, attribute: str) -> bool:
        opened = self.h5py.h5a.open(group.id, attribute.encode())
        if not opened.get_space().get_simple_extent_npoints():
            return False
        # Asked before anything is read: HDF5 follows a damaged type of variable length out of its memory.
        if opened.get_type().get_class() != self.h5py.h5t.STRING:
            self.fault(f"an attribute {attribute!r} of {group.name} that is no text")
        return True

    def group(self, parent: Any, path: str) -> Any:
        """Return a group, None if there is none."""
        for name in path.split("/"):
            parent = self._child(parent, name)
            if parent is None:
                return None
            if not isinstance(parent, self.h5py.Group):
                self.fault(f"an array where a group {name!r} should be")
        return parent

    def array(self, group: Any, name: str, where: str) -> Any:
        """Return an array that can be read, as h5py's Dataset, None if there is none."""
        folder, _, last = name.rpartition("/")
        array = self._child(self.group(group, folder) if folder else group, last)
        if array is None:
            return None
        if not isinstance(array, self.h5py.Dataset):
            self.fault(f"a group where the array {where} should be")
        creation = array.id.get_create_plist()
        filters = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
        if array.external or array.is_virtual or not set(filters) <= set(_FILTERS):
            self.fault(f"an array {where} that lies outside of it or needs a filter of another program",
                       "Keras writes no such thing: do not trust the file")
        return array

    def require_whole(self, array: Any, where: str) -> None:
        """Refuse an array whose bytes are not in the file: a few of them may ask for any size."""
        size, stored = array.size * array.dtype.itemsize, array.id.get_storage_size()
        if size > _RATIO * stored + _BESIDE:
            self.fault(f"an array {where} of {size:,} bytes, of which it holds {stored:,}",
                       "Keras writes no such thing: do not trust the file")

    def _child(self, parent: Any, name: str) -> Any:
        if parent is None or not name or name not in parent:
            return None
        if not isinstance(parent.get(name, getlink=True), self.h5py.HardLink):
            self.fault(f"a link {name!r} to somewhere else", "Keras writes none: do not trust the file")
        return parent[name]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
