"""The compile gate: every kernel of CUDA for three architectures, without a card; it fails on stack use and spills.

usage: python -m tests.cuda.compile_gate [--table FILE] [WORD ...]

It prints a table of registers, shared memory and the share of FFMA, the multiply-adds of float32, in the loop that has
most of them; `--table` writes it as JSON. With words, only kernels whose names have one of them. What it needs beside
the package: ``pip install '.[cuda-gate]'``, 180 MB of NVIDIA's compilers; without them it fails.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ARCHITECTURES = ("sm_80", "sm_90", "sm_120")

#: The least share of FFMA in the main loop, by kernel.
SHARES: dict[str, float] = {
    f"conv.{name}{tile}": share for name in ("forward.forward", "backward_input.backward_input",
                                             "backward_weights.backward_weights")
    for tile, share in (("", 0.45), ("_wide", 0.65))}

_INSTRUCTION = re.compile(r"^\s+/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*)$")
_LABEL = re.compile(r"^(\.L[\w$]+):")
_TARGET = re.compile(r"`\((\.L[\w$]+)\)")


def tool(name):
    """Return the path of one of NVIDIA's tools, which pip leaves without the right to be run."""
    for folder in map(Path, sys.path):
        for path in (folder / "nvidia").glob(f"cu*/bin/{name}"):
            if not os.access(path, os.X_OK):
                path.chmod(path.stat().st_mode | 0o111)
            return str(path)
    raise SystemExit(f"compile gate: expected {name}, found none; pip install '.[cuda-gate]' (180 MB)")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"compile gate: {' '.join(command[:1])} failed:\n{done.stderr[:2000]}")
    return done.stdout, done.stderr


def main_loop(assembly):
    """Return (FFMA, instructions) of the loop of a kernel that has most FFMA, by its backward jumps."""
    lines, labels, loops = [], {}, []
    for line in assembly.splitlines():
        if found := _LABEL.match(line):
            labels[found[1]] = len(lines)
        elif found := _INSTRUCTION.match(line):
            lines.append(found[2])
            target = _TARGET.search(found[3])
            if found[2].startswith("BRA") and target and target[1] in labels:
                loops.append((labels[target[1]], len(lines)))
    counts = [(sum(one.startswith("FFMA") for one in lines[begin:end]), begin - end) for begin, end in loops]
    ffma, length = max(counts, default=(0, -1))  # of two with as many, the shorter: it is the inner one
    return ffma, -length


def measured(kernel, dtypes, architecture, folder):
    """Return what the compilers tell of a variant of a kernel, a dict."""
    from fastcnn.kernels.cuda.compile.cubin import compiled

    ptx, cubin = folder / "kernel.ptx", folder / "kernel.cubin"
    ptx.write_text(compiled(kernel, dtypes, architecture, "ptx"))
    _, told = run(tool("ptxas"), "-v", f"-arch={architecture}", "-O3", str(ptx), "-o", str(cubin))
    stack, stores, loads = map(int, re.search(
        r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", told).groups())
    shared = re.search(r"(\d+) bytes smem", told)
    ffma, length = main_loop(run(tool("nvdisasm"), "-c", str(cubin))[0])
    return {"registers": int(re.search(r"Used (\d+) registers", told)[1]), "stack": stack, "spills": stores + loads,
            "shared": int(shared[1]) if shared else 0, "ffma": ffma, "loop": length}


def row_of(name, dtypes, architecture):
    """Return what `measured` does, in a process of its own."""
    import fastcnn.kernels.cuda  # noqa: F401  # lists all kernels
    from fastcnn.kernels.cuda.compile.kernel import registry

    with tempfile.TemporaryDirectory() as folder:
        return measured(registry[name], dtypes, architecture, Path(folder))


def faults_of(title, row, share):
    """Return what is wrong with a row of the table, as sentences."""
    found = []
    if row["stack"] or row["spills"]:
        found.append(f"{title}: {row['stack']} bytes of stack, {row['spills']} spilled")
    if row["ffma"] / row["loop"] < share:
        found.append(f"{title}: {row['ffma'] / row['loop']:.0%} FFMA, expected {share:.0%}")
    return found


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.cuda.compile_gate")
    parser.add_argument("--table", type=Path)
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    for name in ("ptxas", "nvdisasm"):
        tool(name)
    import fastcnn.kernels.cuda  # noqa: F401  # lists all kernels
    from fastcnn.kernels.cuda.compile.kernel import registry

    work = [(name, dtypes, architecture) for name in sorted(registry)
            if not arguments.words or any(word in name for word in arguments.words)
            for dtypes in registry[name].variants() for architecture in ARCHITECTURES]
    table, faults = {}, []
    print(f"{'kernel':48s} {'':6s} registers  stack  spills  shared  FFMA in the loop")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for (name, dtypes, architecture), row in zip(work, pool.map(row_of, *zip(*work)), strict=True):
            several = len(registry[name].variants()) > 1
            title = f"{name}[{','.join(one.name for one in dtypes)}]" if several else name
            table[f"{title} {architecture}"] = row
            share = f"{row['ffma']:5d} of {row['loop']} ({row['ffma'] / row['loop']:.0%})"
            print(f"{title:48s} {architecture:6s} {row['registers']:9d} {row['stack']:6d} {row['spills']:7d} "
                  f"{row['shared']:7d}  {share}", flush=True)
            faults += faults_of(f"{title} {architecture}", row, SHARES.get(name, 0))
    if arguments.table:
        arguments.table.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
    print("\n".join(faults) or f"{len(table)} compiled, without stack and without spills")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
