"""Train what a configuration says with several seeds, and write what they reach: mean, worst, time and curve.

    python examples/configs/run.py examples/configs/mnist-3min.toml --seeds 1 2 3 4 5

Each seed is a run of its own, ``runs/mnist-3min-1`` and so on: ``fastcnn train --config ... --resume auto`` trains on
all images that are not for testing, and ``fastcnn evaluate`` sees the test images, once. Stop it whenever you like, by
Ctrl-C or a kill, and give the same command again: what is done stays done, and a run goes on where it stood, to the
same bits. ``--choose`` trains one more run, without a tenth of the training images: decisions are taken on these, and
the curve shows them.

After each run ``results/mnist-3min.json`` is written, and with matplotlib (extra ``plot``) ``results/mnist-3min.svg``.
Minutes are CPU time of the training steps, divided by two: what two idle cores take. NUMBA_NUM_THREADS says how many
threads train; the results are the same.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CORES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="a file of TOML, as fastcnn train --config takes it")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1], help="default: 1; of none, results are written")
    parser.add_argument("--choose", action="store_true", help="train without a tenth of the images, to decide on these")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="the folder of runs (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="default: %(default)s")
    given = parser.parse_args()

    name = given.config.stem
    said = tomllib.loads(given.config.read_text())
    if given.choose:  # a set may have its own part to decide on
        train(given.config, given.out / f"{name}-dev", 0, *(() if said["dataset"] == "bccd" else ("--dev", "0.1")))
    report(name, given.out, given.results)  # without a seed, of what is there
    for seed in given.seeds:
        run = given.out / f"{name}-{seed}"
        train(given.config, run, seed, *(() if "dev" in said else ("--dev", "0")))
        if not (run / "looks.jsonl").exists():  # the test images are seen once
            fastcnn("evaluate", str(run))
        report(name, given.out, given.results)


def train(config: Path, run: Path, seed: int, *options: str) -> None:
    """Begin a run, or go on with it; one that is complete stays as it is."""
    said = ["--out", str(run), "--resume", "auto"]
    if not (run / "config.json").exists():  # a run knows what it was begun with
        said += ["--config", str(config), "--seed", str(seed), *options]
    fastcnn("train", *said)


def fastcnn(*arguments: str) -> None:
    print("fastcnn", *arguments, flush=True)
    code = subprocess.run([sys.executable, "-m", "fastcnn", *arguments]).returncode
    if code:
        sys.exit(code)


def report(name: str, out: Path, results: Path) -> None:
    """Write the results of all complete runs of a configuration, and draw their curves."""
    runs = [run for path in out.glob(f"{name}-*") if (run := read(path, path.name.removeprefix(f"{name}-")))]
    if not runs:
        return
    runs.sort(key=lambda run: (len(run["seed"]), run["seed"]))
    tested = [run for run in runs if run["test_accuracy"] is not None]
    found: dict[str, Any] = {"config": f"{name}.toml", "figure": runs[0]["figure"],
                             "seeds": [int(run["seed"]) for run in tested]}
    if tested:
        accuracies = [run["test_accuracy"] for run in tested]
        found |= {"mean": round(statistics.mean(accuracies), 6), "worst": round(min(accuracies), 6), "minutes": round(
            statistics.mean(run["minutes"][-1] for run in tested), 2)}
    found["runs"] = [{key: run[key] for key in ("seed", "test_accuracy", "dev_accuracy", "epochs")}
                     | {"minutes": run["minutes"][-1]} for run in runs]
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"{name}.json"
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(found, indent=1) + "\n")
    os.replace(unfinished, path)
    draw(name, runs, results / f"{name}.svg")
    if tested and results.resolve() == HERE / "results":
        publish(name, found)
    print(f"{path}: {json.dumps({key: found[key] for key in found if key != 'runs'})}", flush=True)


def publish(name: str, found: dict[str, Any]) -> None:
    """Write the results into the table of README.md, and the curves that there are to its end."""
    path = HERE / "README.md"
    text, heading, _ = path.read_text().partition("## Curves\n")
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith(f"| [{name}]"):
            cells = line.split(" | ")[:3]
            cells += [f"{100 * found[key]:.2f} %" for key in ("mean", "worst")] + [f"{found['minutes']:.1f}"]
            lines[number] = " | ".join([*cells, f"{', '.join(map(str, found['seeds']))} |\n"])
    curves = [f"\n![{curve.stem}](results/{curve.name})\n" for curve in sorted(HERE.glob("results/*.svg"))]
    path.write_text("".join([*lines, heading, *curves]))


def read(path: Path, seed: str) -> dict[str, Any] | None:
    """Return what a run came to, or None where it is not complete."""
    if not (seed.isdigit() or seed == "dev") or not (path / "model.safetensors").exists() or (
            path / "checkpoints").exists():
        return None
    lines = [json.loads(line) for line in (path / "history.jsonl").read_text().splitlines()]
    seconds, minutes = 0.0, []
    for line in lines:
        seconds += line["cpu_seconds"]
        minutes.append(round(seconds / 60 / CORES, 3))
    looks = path / "looks.jsonl"
    first_look = json.loads(looks.read_text().splitlines()[0]) if looks.exists() else {"accuracy": None}
    figure = list(first_look)[-1]  # the one that decides: of runs that see "mAP@0.5", "Dice" and the like
    dev = [line["val_accuracy"] for line in lines if "val_accuracy" in line]
    return {"seed": seed, "epochs": len(lines), "minutes": minutes, "figure": figure,
            "test_accuracy": first_look[figure], "accuracy": [line.get("accuracy") for line in lines], "dev": dev,
            "dev_accuracy": dev[-1] if dev else None}


def draw(name: str, runs: list[dict[str, Any]], path: Path) -> None:
    """Draw accuracies over minutes: of training and dev images by epoch, of test images at the end."""
    if any(None in run["accuracy"] for run in runs):  # of runs that see, whose log has the loss alone
        return
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("svg")
    from matplotlib import pyplot
    from matplotlib.ticker import PercentFormatter

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
        for run in runs:
            if run["dev"]:
                axes.plot(run["minutes"], run["dev"], color="tab:blue", label="dev images, the run to choose by")
            else:
                axes.plot(run["minutes"], run["accuracy"], color="silver", linewidth=0.8)
        tested = [run for run in runs if run["test_accuracy"] is not None]
        if tested:
            axes.plot([], [], color="silver", label="training images as augmented, each seed")
            axes.plot([run["minutes"][-1] for run in tested], [run["test_accuracy"] for run in tested], "x",
                      color="tab:red", label="test images, each seed")
        best = max(max(run["dev"] or [run["test_accuracy"] or 0]) for run in runs)
        axes.set(title=name, xlabel="CPU minutes of two cores", ylabel="accuracy", ylim=(1 - 5 * (1 - best), 1))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


if __name__ == "__main__":
    main()
