"""What ``fastcnn doctor`` tells of a card: packages, driver, memory, and whether they fit."""

from typing import Any


def rows() -> list[tuple[str, Any]]:
    """Return what is known, as names and values; the last one says whether ``--device cuda`` would do."""
    from fastcnn.errors import DeviceError
    from fastcnn.kernels.cuda.compile import card

    known = card.versions()
    if known["numba-cuda"] == "none":
        return [("numba-cuda", 'not installed; pip install "fastcnn[cuda]"'), ("state", "no GPU is used")]
    found: list[tuple[str, Any]] = [(name, version) for name, version in known.items()]
    try:
        found.append(("toolkit", "CUDA {}.{}".format(*card.linker_version())))
        opened = card.Card(0)
        free, total = opened.memory()
        found += [("driver", "CUDA {}.{}".format(*opened.driver)),
                  ("card", f"cuda:0, {opened.name}, {opened.architecture}"),
                  ("memory", f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB of them free")]
    except DeviceError as error:
        return [*found, ("state", error)]
    return [*found, ("state", "fits: --device cuda, or model.to(\"cuda\")")]
