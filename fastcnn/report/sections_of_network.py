"""The sections of a page that tell of the network: the health of its training, what it sees, and what it costs."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError, DataError
from fastcnn.models import clone_model
from fastcnn.models.summary import size_text
from fastcnn.random import apart
from fastcnn.report import charts
from fastcnn.report.evidence import Answered, Evidence
from fastcnn.report.inline_pictures import data_uri, for_the_eye
from fastcnn.report.layer_costing import layer_costs
from fastcnn.report.network_pictures import explanations, feature_maps, filters, strongest_patches
from fastcnn.report.sections_of_errors import judged
from fastcnn.report.training_health import health
from fastcnn.vision.explanations import drawing

_HEALTHY = 512  # training examples that gradients and units are looked at with
_PATCHES_OF = 512
_MAPS, _FILTERS, _EXPLAINED = 12, 32, 3
_LAYERS = 20  # that are told of
_PATIENCE = 3.0  # seconds for patches, and as many for explanations: large networks get fewer pictures
_PREDICTIONS, _UNITS = 250, 8  # that an explained picture, or a picture that patches are sought in, takes
_METHODS = {"occlusion": "by how much the answer falls where a patch covers the picture",
            "gradient": "which pixels move the answer", "Grad-CAM": "where the last feature maps speak for it"}


def of_health(evidence: Evidence) -> dict[str, Any] | None:
    """Return how training is: gradients, updates, units, and the sentences."""
    part, trainable = evidence.parts.get("train"), evidence.trainable
    if part is None or trainable is None or not len(part.y):
        return None
    index = np.arange(min(_HEALTHY, len(part.y)))
    found = health(trainable.model, evidence.inputs(part.x[index]), trainable.targets(part.y[index]),
                   min(trainable.batch_size, len(index)))
    return {"found": found, "chart": charts.draw_bars([one.path for one in found.weights],
                                                      [one.gradient for one in found.weights],
                                                      "gradient by layer, root mean square")}


def of_sight(evidence: Evidence, side: int) -> dict[str, Any] | None:
    """Return what a network of pictures has learned: filters, feature maps, patches, explanations."""
    chosen, model = judged(evidence), evidence.model
    if chosen is None or model is None or len(model.input_shape) != 4 or not len(chosen[1].y):
        return None
    name, part = chosen
    bank = filters(model)
    shown: dict[str, Any] = {"filters": [] if bank is None else [data_uri(one, side) for one in _tiles(bank)]}
    index = _examples(evidence, part)
    took = _seconds(evidence, part)
    explained = index[: int(np.clip(_PATIENCE / (_PREDICTIONS * took), 1, _EXPLAINED))]
    x, plain = evidence.inputs(part.x[index]), for_the_eye(part.x[index], evidence.scale)
    maps = feature_maps(model, x[0])
    shown["maps"] = [(one.layer, [data_uri(drawing.as_bytes(one.maps[..., k : k + 1]), side)
                                  for k in _busiest(one.maps)]) for one in maps]
    shown["picture"] = data_uri(plain[0], side)
    pictures = int(np.clip(_PATIENCE / (_UNITS * took), 16, _PATCHES_OF))
    shown["patches"] = _patches(evidence, name, side, pictures) if bank is not None else None
    shown["explained"] = _explained(evidence, part, explained, x, plain, side)
    shown["methods"] = _METHODS
    return shown


def of_costs(evidence: Evidence) -> dict[str, Any] | None:
    """Return time and memory by layer."""
    if evidence.model is None:
        return None
    try:
        found = layer_costs(evidence.model)
    except ArgumentError:  # of several inputs or outputs: not timed layer by layer
        return None
    # Those that take longest, in the order in which they run.
    longest = set(sorted(range(len(found)), key=lambda k: -found[k].seconds)[:_LAYERS])
    shown = [one for k, one in enumerate(found) if k in longest]
    return {"rows": [(one, f"{1e6 * one.seconds:,.0f}", size_text(one.bytes)) for one in shown], "number": len(found),
            "parameters": sum(one.parameters for one in found), "bytes": size_text(sum(one.bytes for one in found)),
            "chart": charts.draw_bars([one.layer for one in shown], [one.seconds for one in shown], "time by layer")}


def _examples(evidence: Evidence, part: Answered) -> NDArray[Any]:
    """Return examples to explain: mistakes first, then others."""
    own = next(name for name, one in evidence.parts.items() if one is part)
    wrong = np.flatnonzero(evidence.errors(own) > 0) if evidence.task != "regression" else np.zeros(0, int)
    right = np.setdiff1d(np.arange(len(part.y)), wrong)
    return np.concatenate([right[:1], wrong, right[1:]])[:_EXPLAINED]


def _seconds(evidence: Evidence, part: Answered) -> float:
    """Return how long the network takes for a picture."""
    x = evidence.inputs(part.x[: min(8, len(part.y))])
    evidence.model.predict(x, verbose=0)
    start = time.perf_counter()
    evidence.model.predict(x, verbose=0)
    return (time.perf_counter() - start) / len(x)


def _tiles(bank: NDArray[Any]) -> list[NDArray[np.uint8]]:
    """Return filters (KH, KW, C, K) as pictures: of three channels in colour, of others their first channel."""
    shown = bank if bank.shape[2] in (1, 3) else bank[:, :, :1]
    most = float(np.abs(shown).max()) or 1.0
    tiles = np.moveaxis(shown, -1, 0)[:_FILTERS] / (2 * most) + 0.5
    return [np.round(255 * tile).astype(np.uint8) for tile in tiles]


def _busiest(maps: NDArray[Any]) -> list[int]:
    """Return the channels that vary most."""
    order: list[int] = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:_MAPS].tolist()
    return order


def _patches(evidence: Evidence, name: str, side: int, most: int) -> dict[str, Any] | None:
    part = evidence.parts.get("train", evidence.parts[name])
    some = part.x[: min(most, len(part.y))]
    try:
        layer, units = strongest_patches(evidence.model, evidence.inputs(some))
    except (ArgumentError, DataError):  # a layer whose units do not tell what they see
        return None
    plain = for_the_eye(some, evidence.scale)
    rows = [[data_uri(plain[one.picture, one.box[1] : one.box[3], one.box[0] : one.box[2]], side) for one in unit]
            for unit in units]
    return {"layer": layer, "rows": rows}


def _explained(evidence: Evidence, part: Answered, index: NDArray[Any], x: Any, plain: NDArray[np.uint8], side: int
               ) -> list[dict[str, Any]]:
    """Return pictures with the pixels that matter, of the network and of random weights."""
    if evidence.task == "regression":
        return []
    with apart():
        random = clone_model(evidence.model)
    found = []
    for k, at in enumerate(index.tolist()):
        seen = explanations(evidence.model, x[k], random=random)
        is_so = str(evidence.classes[int(part.y[at])]) if evidence.task == "classification" else ""
        found.append({
            "picture": data_uri(plain[k], side), "name": str(part.names[at]), "is": is_so,
            "called": str(evidence.classes[seen.target]),
            "rows": [(method, data_uri(_heated(plain[k], seen.learned[method]), side),
                      data_uri(_heated(plain[k], seen.random[method]), side)) for method in seen.learned]})
    return found


def _heated(picture: NDArray[np.uint8], heat: NDArray[Any]) -> NDArray[np.uint8]:
    return drawing.with_heat(np.repeat(picture, 3, -1) if picture.shape[-1] == 1 else picture, heat)
