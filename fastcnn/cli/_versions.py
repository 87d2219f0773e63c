"""The versions of what decides about a run's results."""


def versions() -> dict[str, str]:
    """Return the versions of what decides about a run's results, and by which table algorithms are chosen."""
    import platform

    import numba
    import numpy as np

    from fastcnn import config
    from fastcnn._version import __version__

    return {"fastcnn": __version__, "numpy": np.__version__, "numba": numba.__version__,
            "python": platform.python_version(), "algorithms": config.algorithm_table()}
