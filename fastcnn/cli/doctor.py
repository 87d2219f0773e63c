"""``fastcnn doctor``: what fastcnn found on this machine, for a look and for bug reports."""

import importlib.metadata
import os
import platform
import stat
import sys
import warnings
from pathlib import Path
from typing import Any

import click

_REQUIRED = ("numpy", "numba", "llvmlite", "click", "rich", "pooch", "safetensors", "msgspec", "platformdirs", "tbb")
_EXTRAS = {"pillow": "image", "simplejpeg": "image", "matplotlib": "plot", "h5py": "keras", "onnx": "onnx",
           "ml_dtypes": "bf16", "scikit-learn": "sklearn"}


@click.command("doctor", short_help="Show versions, CPU, GPU, threads and the cache of kernels.")
def command() -> None:
    """Show versions, the CPU's vectors, a card, the threading layer and why it was chosen, and the cache of kernels.

    Warns of settings by which threads wait for one another, and of a machine that is busy with other things, at which
    it looks for half a second. Nothing is compiled or changed, but for a small product where the CPU has a unit for
    bfloat16, which is tried. Put the output into a bug report.
    """
    from fastcnn.cli import _gpu

    cache = _cache()  # before a unit is tried, which writes to it
    sections = {"Versions": _versions(), "CPU": _cpu(), "GPU": _gpu.rows(), "Threads": _threads(),
                "Cache of kernels": cache, "Warnings": _warnings()}
    for title, rows in sections.items():
        click.echo(title)
        for name, value in rows:
            click.echo(f"  {name:<{1 if name == '-' else 14}} {value}".rstrip())


def _versions() -> list[tuple[str, Any]]:
    from fastcnn._version import __version__

    found: list[tuple[str, Any]] = [
        ("fastcnn", __version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
    ]
    found += [(name, _version(name) or "missing") for name in _REQUIRED]
    return found + [
        (name, _version(name) or f'not installed; pip install "fastcnn[{extra}]"') for name, extra in _EXTRAS.items()
    ]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> list[tuple[str, Any]]:
    from llvmlite import binding as llvm

    from fastcnn import config
    from fastcnn.kernels.cpu.amx import unit
    from fastcnn.kernels.cpu.gemm import tile
    from fastcnn.kernels.cpu.int8 import unit as byte_unit
    from fastcnn.kernels.cpu.simd.width import features, lanes

    name, width, registers = features()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the state of the cache tells what is wrong with it
        (back_end, reason), of_bytes = unit.chosen(), byte_unit.chosen()
    return [
        ("name", llvm.get_host_cpu_name()),
        ("vectors", f"{name}: {8 * width} bits, {registers} registers"),
        ("tile", f"{name}, {tile.M0} x 2 vectors of {lanes('float32')} float32 "
                 f"or {lanes('float64')} float64"),
        ("algorithms", f"{config.algorithm_table()}; fastcnn.config.set_algorithm_choice takes another table"),
        ("bfloat16", f"{back_end}: {reason}"),
        ("int8", "{}: {}".format(*of_bytes)),
    ]


def _threads() -> list[tuple[str, Any]]:
    import numba

    from fastcnn.kernels.cpu.compile import ahead, policy, threads

    return [
        ("layer", f"{threads.layer()}: {threads.reason}"),
        ("threads", f"{numba.get_num_threads()} on {os.cpu_count()} CPUs: {threads.limit}; "
                    f"NUMBA_NUM_THREADS=N sets another number"),
        ("beside other work", "one thread, where that is faster; FASTCNN_STEADY_THREADS=1 keeps all"),
        ("kernels", len(policy.registry)),
        ("compiling", f"in up to {1 + ahead.processes()} processes; FASTCNN_COMPILE_AHEAD=0 keeps all in one"),
    ]


def _warnings() -> list[tuple[str, Any]]:
    from fastcnn.cli import _warnings
    from fastcnn.kernels.cpu.compile import threads

    return [("-", warning) for warning in _warnings.all_now(threads.layer())] or [("none", "")]


def _cache() -> list[tuple[str, Any]]:
    from fastcnn.kernels.cpu.compile import cache

    try:
        folder = cache.folder()
    except OSError as error:
        return [("folder", "none (FASTCNN_CACHE_DIR names one)"),
                ("state", f"{error.strerror}: every process compiles anew")]
    try:
        sizes = [file.stat().st_size for file in folder.glob("*.nbc")]
    except OSError:
        sizes = []  # the state tells
    known = f"{len(sizes)} compiled kernels, {sum(sizes) / 1e6:.1f} MB"
    return [
        ("folder", f"{folder} (FASTCNN_CACHE_DIR)"),
        ("state", _state(folder)),
        ("entries", known if sizes else "none; `fastcnn warmup` makes them"),
    ]


def _state(folder: Path) -> str:
    """Say whether kernels can be written there."""
    for place in (folder, *folder.absolute().parents):
        try:
            is_folder = stat.S_ISDIR(place.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"cannot be reached ({error.strerror}): every process compiles anew"
        break
    can_write = is_folder and os.access(place, os.W_OK | os.X_OK)
    if place == folder:
        return "writable" if can_write else "not writable: every process compiles anew"
    if can_write:
        return "not there yet; made when it is needed"
    return f"cannot be made in {place}: every process compiles anew"
