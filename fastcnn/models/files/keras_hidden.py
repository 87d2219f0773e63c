"""Layers within Keras's networks whose class has no public name, as layers that have one."""

from typing import Any

from fastcnn.models.files.keras_operators import Ref

Entries = dict[str, dict[str, Any]]
Calls = dict[str, list[tuple[list[Any], dict[str, Any]]]]

#: Of Inception-ResNet v2: x + scale y.
_SCALED_SUM = "CustomScaleLayer"


def with_public_layers(entries: Entries, calls: Calls, own: Any) -> tuple[Entries, Calls]:
    """Return the entries of a model and their calls, a scaled sum as a scaling and a sum of its name.

    Parameters
    ----------
    entries, calls : dict
        By name, in the order of the file.
    own : collection of str
        Classes that the user brings, which stay.
    """
    found: Entries = {}
    through: Calls = {}
    for name, entry in entries.items():
        config = entry.get("config") or {}
        if entry["class_name"] != _SCALED_SUM or _SCALED_SUM in own or "scale" not in config:
            found[name], through[name] = entry, calls[name]
            continue
        told = {key: config[key] for key in ("dtype", "trainable") if key in config}
        scaling = f"{name}_rescaling"
        sums = [_operands(call) for call in calls[name]]
        found[scaling] = {"class_name": "Rescaling", "config": {"name": scaling, "scale": config["scale"], **told}}
        through[scaling] = [([scaled], {}) for _, scaled in sums]
        found[name] = {"class_name": "Add", "config": {"name": name, **told}}
        through[name] = [([[first, Ref(scaling, at, 0)]], {}) for at, (first, _) in enumerate(sums)]
    return found, through


def _operands(call: tuple[list[Any], dict[str, Any]]) -> tuple[Any, Any]:
    """Return the two tensors of a call, which are in a list."""
    (first, scaled), *_ = call[0]
    return first, scaled
