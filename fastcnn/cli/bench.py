"""``fastcnn bench``: what the machine can do at most, and how near a model's layers come to it."""

import json
from typing import Any

import click

from fastcnn.cli._options import MODELS
from fastcnn.cli._values import NameOrPath, UserPath


@click.command("bench", short_help="Time a model's layers beside the machine's peak.")
@click.argument("model", metavar="[MODEL]", required=False, type=NameOrPath(MODELS))
@click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True, metavar="N",
              help="Images at a time.")
@click.option("--vs", type=click.Choice(["torch"]), help='Add PyTorch\'s times; pip install "fastcnn[judges]".')
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, metavar="N",
              help="Timings of each layer, of which the median is taken.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=0.05, show_default=True, metavar="S",
              help="Of one timing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the tables.")
@click.option("--plot", type=UserPath(), metavar="FILE",
              help='Draw the roofline, as .png, .svg or .pdf; pip install "fastcnn[plot]".')
def command(model: str | None, batch_size: int, vs: str | None, rounds: int, seconds: float, as_json: bool,
            plot: str | None) -> None:
    """Measure the machine's peak, and time each layer of a model beside it.

    MODEL is a name (lenet5, resnet50 ...), a run, or a file (.safetensors, .keras, .h5); without it the machine alone
    is measured. The peak is of multiply-adds between registers and of copies and sums of arrays in each level of
    memory, by all threads, measured by kernels of fastcnn.

    For each layer, forward and backward in training: the time, GFLOP/s (operations of products, two a multiply-add),
    bytes (each array once: input, parameters and output forward; backward input, the output's gradient, parameters,
    and the gradients of input and parameters), and how much of the roofline it reaches, the least possible time in
    parts of the real one. What fits into a cache together is taken to come from there: a layer whose input lies
    farther away cannot reach all of it. Winograd's convolution, and one that leaves out the zeros of its padding,
    multiply less than is counted and may reach more than all. Layers are timed alone; the step and the prediction
    below them are whole.

    --vs torch times PyTorch, eager and channels last, in a process of its own, in turn with fastcnn; results are
    compared first, and a ratio above 1 says that fastcnn is faster. Other work on the machine slows both unequally:
    `fastcnn doctor` tells of it.

    With --device cuda it is the card: operations by its clock and its units, bytes by a copy; cpu, vectors and threads
    are its name, its architecture and its multiprocessors.

    \b
    The object of --json, in seconds, bytes and operations:
      fastcnn, torch    versions; torch is null without --vs
      machine           cpu, vectors, threads,
                        flops, flops_of_one_thread {float32, float64},
                        memory [{name, holds, bytes_per_second}]
      model             null, or: name, batch, dtype,
        layers          [{name, class, input, output, forward, backward}]; backward may be null
                        {seconds, operations, bytes, memory, roofline, torch_seconds}
        whole           {step, prediction}: {seconds, torch_seconds}

    \b
    fastcnn bench lenet5
    fastcnn bench runs/NAME --vs torch --plot roofline.png
    """  # noqa: D301  (click reads the backspace)
    from contextlib import nullcontext

    from fastcnn import device
    from fastcnn._version import __version__
    from fastcnn.bench import card, layers, load, machine, torch_peer
    from fastcnn.bench import plot as picture
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._console import make_console
    from fastcnn.cli._warnings import of_load
    from fastcnn.errors import ArgumentError

    if model is None and (vs or plot):
        raise ArgumentError(f"bench: {'--vs' if vs else '--plot'} expected a model to look at, got none; "
                            f"name one of {', '.join(MODELS)}, a run or a file")
    if vs:
        torch_peer.require_torch()
    if plot:
        picture.require(plot)
    network = None if model is None else _network(model)
    watch = load.Watch()
    console = make_console()
    with nullcontext() if as_json else Compiling(console, "the benchmark"):
        d = device.current()
        peak = card.measure(d, seconds) if d.is_asynchronous else machine.measure(min(0.3, 6 * seconds))
        ready = [] if network is None else layers.subjects(network, batch_size)
        for subject in ready:
            subject.run()
    found: dict[str, Any] = {"fastcnn": __version__, "torch": None, "machine": _machine(peak), "model": None}
    for warning in of_load(watch.load()):
        click.echo(f"fastcnn: warning: {warning}", err=True)
    if not as_json:
        _show_machine(found["machine"])
    if network is not None:
        with torch_peer.TorchPeer(network, ready, seconds) if vs else nullcontext() as peer:
            found["torch"] = peer.version if peer else None
            rows = layers.measure(ready, peak, rounds, seconds, peer.layer if peer else None)
            whole = layers.whole(network, batch_size, rounds, seconds, peer.whole if peer else None)
        found["model"] = {"name": network.name, "batch": batch_size, "dtype": network.dtype.name,
                          "layers": [_layer(row) for row in rows],
                          "whole": {name: {"seconds": own, "torch_seconds": other}
                                    for name, (own, other) in whole.items()}}
        if not as_json:
            _show_model(found["model"], found["torch"])
        if plot:
            picture.draw(plot, rows, peak, network.dtype.name,
                         f"{network.name}, batch {batch_size}, {found['machine']['cpu']}")
            if not as_json:
                click.echo(f"\nroofline drawn in {plot}")
    if as_json:
        click.echo(json.dumps(found, indent=1))


def _network(model: str) -> Any:
    """Return the network of a name, a run or a file."""
    from pathlib import Path

    from fastcnn import applications, saving
    from fastcnn.cli._saved import find_file
    from fastcnn.errors import ArgumentError, unknown

    if (function := applications.find(model)) is not None:
        return function()
    if not Path(model).exists():
        raise ArgumentError(f"{unknown('bench: model', model, MODELS)}; no run or file has that name either")
    return saving.load_model(find_file(model), compile=False)


# --- what is printed --------------------------------------------------------------------------------------------------


def _machine(peak: Any) -> dict[str, Any]:
    from llvmlite import binding as llvm

    from fastcnn import device
    from fastcnn.kernels.cpu.simd.width import features

    where: Any = device.current()
    name, kind = (where.card.name, where.card.architecture) if where.is_asynchronous else (
        llvm.get_host_cpu_name(), features()[0])
    return {"cpu": name, "vectors": kind, "threads": peak.threads,
            "flops": {name: round(value) for name, value in peak.flops.items()},
            "flops_of_one_thread": {name: round(value) for name, value in peak.one_thread.items()},
            "memory": [{"name": level.name, "holds": level.size if level is not peak.levels[-1] else None,
                        "bytes_per_second": round(level.bandwidth)} for level in peak.levels]}


def _layer(row: Any) -> dict[str, Any]:
    passes = {name: None if one is None else {
        "seconds": one.seconds, "operations": one.operations, "bytes": one.bytes, "memory": one.level,
        "roofline": one.share, "torch_seconds": one.torch_seconds}
        for name, one in ((name, row.passes.get(name)) for name in ("forward", "backward"))}
    return {"name": row.name, "class": row.kind, "input": row.input_shape, "output": row.output_shape} | passes


def _show_machine(machine: dict[str, Any]) -> None:
    click.echo(f"{machine['cpu']}, {machine['vectors']}, {machine['threads']} threads together:")
    alone = machine["flops_of_one_thread"]
    click.echo("  multiply-adds  " + ", ".join(f"{name} {value / 1e9:.0f} GFLOP/s (one thread {alone[name] / 1e9:.0f})"
                                               for name, value in machine["flops"].items()))
    click.echo("  memory         " + ", ".join(
        f"{level['name']} {level['bytes_per_second'] / 1e9:.0f} GB/s" +
        (f" (to {level['holds'] / 2**20:.0f} MB)" if level["holds"] else "") for level in machine["memory"]))


def _show_model(model: dict[str, Any], torch: str | None) -> None:
    click.echo(f"\n{model['name']}, batch {model['batch']}, {model['dtype']}" + (f", beside {torch}" if torch else ""))
    names = max(len(layer["name"]) for layer in model["layers"]) + 2
    head = f"{'ms':>9}{'GFLOP/s':>9}{'MB':>8}{'roofline':>10}" + (f"{'torch ms':>10}{'ratio':>7}" if torch else "")
    click.echo(f"{'':<{names}}{'':<10}{head}")
    for layer in model["layers"]:
        for name in ("forward", "backward"):
            if (one := layer[name]) is not None:
                click.echo(f"{layer['name'] if name == 'forward' else '':<{names}}{name:<10}{_pass(one, torch)}")
    for name, one in model["whole"].items():
        line = f"{'the whole ' + name:<{names + 10}}{1e3 * one['seconds']:>9.3f}{'':>27}{_beside(one, torch)}"
        click.echo(line.rstrip())


def _pass(one: dict[str, Any], torch: str | None) -> str:
    speed = f"{one['operations'] / one['seconds'] / 1e9:.0f}" if one["operations"] else "-"
    share = "-" if one["roofline"] is None else f"{one['roofline']:.0%}"
    return f"{1e3 * one['seconds']:>9.3f}{speed:>9}{one['bytes'] / 1e6:>8.2f}{share:>10}{_beside(one, torch)}"


def _beside(one: dict[str, Any], torch: str | None) -> str:
    if torch is None:
        return ""
    if one["torch_seconds"] is None:
        return f"{'-':>10}{'-':>7}"
    return f"{1e3 * one['torch_seconds']:>10.3f}{one['torch_seconds'] / one['seconds']:>7.2f}"
