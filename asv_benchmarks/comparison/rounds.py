"""The rounds of a comparison: both sides do the same work from the same numbers, agree on it, and are timed in turn."""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from asv_benchmarks.comparison.process import Side, stop
from asv_benchmarks.comparison.sides import PEERS
from asv_benchmarks.comparison.works import Work

_QUIET = 0.1  # CPUs that others may take in a round
_PAUSE = 0.05  # seconds between two timings, in which the other side's threads stop to spin


def agree(sides: dict[str, Side], work: Work, folder: Path) -> float:
    """Let both make the job, and return by how much their results differ, relative to the largest; stop if too much."""
    results = {}
    for name, side in sides.items():
        side.ask(make=work.name, results=str(folder / f"{name}.npz"))
        with np.load(folder / f"{name}.npz") as file:
            results[name] = dict(file)
    worst = 0.0
    for name, peers in results[work.peer].items():
        own = results["fastcnn"][name]
        if own.shape != peers.shape:
            stop(f"{work.name}: expected {name} of {PEERS[work.peer]}'s shape {peers.shape}, got {own.shape}")
        difference = np.abs(own - peers).max() / max(1e-30, np.abs(peers).max())
        if not difference <= work.tolerance:
            stop(f"{work.name}: {name} differs from {PEERS[work.peer]}'s by {difference:.1e} of the largest, where "
                 f"{work.tolerance:.0e} is allowed: a comparison of times would mean nothing")
        worst = max(worst, float(difference))
    return worst


def quiet_rounds(sides: dict[str, Side], rounds: int, seconds: float, patience: float, pause: float
                 ) -> list[dict[str, float]]:
    """Return rounds, each the median seconds of either side and the CPUs that others took, as undisturbed as can be."""
    found: list[dict[str, float]] = []
    end = time.perf_counter() + patience
    while len(found) < rounds or (sum(r["others"] <= _QUIET for r in found) < rounds and time.perf_counter() < end):
        one = {"others": 0.0}
        for name in sorted(sides, reverse=bool(len(found) % 2)):
            time.sleep(pause)
            timing = sides[name].ask(seconds=seconds)
            one |= {name: timing["median"], "others": max(one["others"], timing["others"])}
        found.append(one)
    return sorted(found, key=lambda r: r["others"])[:rounds]


def compare(sides: dict[str, Side], work: Work, given: argparse.Namespace) -> dict[str, Any]:
    """Return the row of one work: medians of both sides in seconds, and the ratio of each round."""
    sides = {name: sides[name] for name in ("fastcnn", work.peer)}
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        difference = agree(sides, work, Path(folder))
    part = 1 / 3 if work.brief else 1.0
    patience = 0.0 if given.one_core else given.patience * (0.1 if work.brief else 1.0)
    quiet = quiet_rounds(sides, given.rounds, given.seconds * part, patience, 0.0 if given.one_core else _PAUSE)
    ratios = [one[work.peer] / one["fastcnn"] for one in quiet]
    others = quiet[-1]["others"]
    return {"name": work.name, "peer": work.peer, "ratio": statistics.median(ratios), "ratios": ratios,
            "others": others, "sure": not given.one_core and others <= _QUIET, "difference": difference,
            "tolerance": work.tolerance} | {name: statistics.median(one[name] for one in quiet) for name in sides}
