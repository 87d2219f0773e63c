"""The same pictures, or rows of features, in two parts of a data set, in lines."""


from fastcnn.cli._examples import Examples
from fastcnn.data.duplicates import equal_pairs, equal_rows

_NAMED = 5  # pairs that a line names


def duplicates(parts: dict[str, Examples], most: int = _NAMED) -> list[str]:
    """Return a line for each two parts that share pictures, or rows, which names the first pairs."""
    found: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}
    arrays = {name: part.x for name, part in parts.items()}
    of_features = any(x.ndim == 2 for x in arrays.values())
    for earlier, i, later, j, is_same in (equal_rows if of_features else equal_pairs)(arrays):
        pair = parts[earlier].names[i], parts[later].names[j], is_same
        found.setdefault((earlier, later), []).append(pair)
    lines = []
    for (earlier, later), pairs in found.items():
        same = sum(is_same for *_, is_same in pairs)
        listed = ", ".join(f"{one} {'=' if is_same else '~'} {other}" for one, other, is_same in pairs[:most])
        more = f" and {len(pairs) - most:,} more" if len(pairs) > most else ""
        what = f"{len(pairs):,} {'row' if of_features else 'picture'}{'s' * (len(pairs) != 1)}"
        how = "" if of_features else f", {same:,} to the pixel (=), others nearly (~)"
        lines.append(f"{what} of {later} in {earlier} too{how}, so that {later} tells less: {listed}{more}")
    return lines
