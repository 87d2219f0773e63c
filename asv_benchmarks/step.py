"""Where the time of a training step goes: ``python asv_benchmarks/step.py [lenet5] [convnet] [cifar] [--steps N]``.

Prints every call of a kernel in its order, with the median of its seconds, its share of the step, and for products the
speed; then what is left for Python. What a multiply-add costs at least is told by ``--peak``, in GFLOP/s.
"""

import argparse
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

if __name__ == "__main__":  # asv imports this file as a part of the package; a script is none yet
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from asv_benchmarks.kernel_calls import KernelCall, noted_kernel_calls
from asv_benchmarks.training import NETWORKS, training_step


def measure(network: str, steps: int) -> tuple[float, list[KernelCall]]:
    """Return the median seconds of a step without notes, and its calls, each with the median of its seconds."""
    step = training_step(network)
    seconds, noted = [], []
    for _ in range(steps):  # in turn, since a machine is not equally fast all the time
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
        with noted_kernel_calls() as calls:
            step()
        noted.append(calls)
    medians = [statistics.median(call.seconds for call in same) for same in zip(*noted, strict=True)]
    return statistics.median(seconds), [call._replace(seconds=s) for call, s in zip(calls, medians, strict=True)]


def report(network: str, steps: int, peak: float) -> None:
    """Print the table of one network."""
    whole, calls = measure(network, steps)
    inside = sum(call.seconds for call in calls)
    flops = 2 * sum(call.multiply_adds for call in calls)
    print(f"{network}: a step of 128 images takes {whole * 1e3:.2f} ms in {len(calls)} launches; its "
          f"{flops / 1e9:.2f} GFLOP of products would take {flops / peak / 1e6:.2f} ms at {peak:g} GFLOP/s\n")
    print(f"{'kernel':<42}{'shapes':<34}{'ms':>8}{'share':>8}{'GFLOP/s':>9}")
    for call in calls:
        speed = f"{2e-9 * call.multiply_adds / call.seconds:.0f}" if call.multiply_adds else ""
        print(f"{call.kernel:<42}{call.shapes:<34}{call.seconds * 1e3:>8.3f}{call.seconds / whole:>8.1%}{speed:>9}")
    print(f"{'Python, memory, clearing':<76}{(whole - inside) * 1e3:>8.3f}{1 - inside / whole:>8.1%}\n")
    by_kernel: dict[str, float] = defaultdict(float)
    for call in calls:
        by_kernel[call.kernel] += call.seconds
    for kernel, seconds in sorted(by_kernel.items(), key=lambda item: -item[1]):
        print(f"{kernel:<76}{seconds * 1e3:>8.3f}{seconds / whole:>8.1%}")
    print()


def main() -> None:
    """Parse the command line and print a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="network", help=" or ".join(NETWORKS))
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--peak", type=float, default=230.0, help="GFLOP/s of the machine (default: %(default)s)")
    given = parser.parse_args()
    if strange := [name for name in given.networks if name not in NETWORKS]:
        parser.error(f"expected {' or '.join(NETWORKS)}, got {', '.join(strange)}")
    for network in given.networks:
        report(network, given.steps, given.peak)


if __name__ == "__main__":
    main()
