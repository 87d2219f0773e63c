"""Hooks: what lower rooms ask of higher ones, which they may not import. The package knows all rooms and fills them."""

from collections.abc import Callable
from typing import Any

#: "graph": (inputs, outputs, dtype, who) -> what runs between symbolic tensors, for layers that have `call`.
#: "operation": name -> a function of `fastcnn.ops`, for operators.
#: "primitive": name -> a primitive of `fastcnn.ops`, for nodes.
#: "draw": (distribution, shape, numbers, dtype, seed) -> an array, or a tensor of numbers that each step draws anew.
#: "product": two matrices -> theirs.
#: "layer_entry": layer -> what files hold of it; "layer_of_entry": (that, custom_objects) -> a layer.
#: "card": index -> the device of a card, opened; "device": -> the name of the device of new models; "set_device": name.
hooks: dict[str, Callable[..., Any]] = {}
