"""What a card tells of fastcnn in under four minutes: right or wrong, how fast beside PyTorch, the same bits or not.

usage: python -m asv_benchmarks.gpu FOLDER [--seconds N] [--only SECTION ...]

Each section leaves FOLDER/SECTION.json when it is done, and is passed over if that is there: a run that was cut short
goes on where it stood. None begins after N seconds (220). Needs ``pip install '.[cuda,test]'`` and torch with CUDA;
without torch its columns stay empty. With NUMBA_ENABLE_CUDASIM=1 the sections walk through on tiny shapes, which tells
nothing but that they can be walked through.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import device, layers

DRY = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
ROOT = Path(__file__).resolve().parents[1]

try:
    import torch
    import torch.nn.functional as F  # noqa: N812

    TORCH: Any = torch if torch.cuda.is_available() else None
except ImportError:
    TORCH = None

SECTIONS: dict[str, Any] = {}


def section(function):
    SECTIONS[function.__name__] = function
    return function


def milliseconds(run, wait, seconds=0.3, at_once=10):
    """Return the median time of a call, of `at_once` that wait together."""
    run()
    wait()
    found, begin = [], time.perf_counter()
    while len(found) < 3 or (time.perf_counter() - begin < seconds and len(found) < 50):
        start = time.perf_counter()
        for _ in range(1 if DRY else at_once):
            run()
        wait()
        found.append((time.perf_counter() - start) / (1 if DRY else at_once) * 1e3)
        if DRY:
            break
    return statistics.median(found)


@section
def machine(d):
    """The card, the driver, the packages."""
    from fastcnn.kernels.cuda.compile.card import versions

    free, total = d.card.memory()
    return {"card": d.card.name, "architecture": d.card.architecture, "driver": d.card.driver, "free": free,
            "total": total, **versions(), "torch": TORCH and TORCH.__version__,
            "cudnn": TORCH and TORCH.backends.cudnn.version()}


@section
def correctness(d):
    """Every kernel beside its naive twin, every layer and whole networks beside the CPU: the tests, on the card."""
    return _tested()


@section
def sanitizer(d):
    """The kernels' tests under compute-sanitizer, where there is one."""
    tool = shutil.which("compute-sanitizer")
    return _tested(tool, "--tool", "memcheck", folders=("tests/kernels/cuda",)) if tool else "no compute-sanitizer"


def _tested(*before, folders=("tests/kernels/cuda", "tests/cuda/simulated")):
    if DRY:
        return "not in the simulator: tests/cuda/test_simulator_process.py"
    done = subprocess.run([*before, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *folders], cwd=ROOT,
                          env={**os.environ, "FASTCNN_TEST_CARD": "1"}, capture_output=True, text=True, check=False)
    return {"code": done.returncode, "end": done.stdout[-3000:]}


LAYERS = [  # name, images, height and width, channels, filters, window, stride
    ("resnet 3x3 56,64", 64, 56, 64, 64, 3, 1), ("resnet 3x3 28,128", 64, 28, 128, 128, 3, 1),
    ("resnet 3x3 14,256", 64, 14, 256, 256, 3, 1), ("resnet 3x3 7,512", 64, 7, 512, 512, 3, 1),
    ("resnet 1x1 56,64-256", 64, 56, 64, 256, 1, 1), ("resnet 1x1 14,1024-256", 64, 14, 1024, 256, 1, 1),
    ("resnet 3x3/2 56,128", 64, 56, 128, 128, 3, 2), ("vgg 3x3 112,128", 32, 112, 128, 128, 3, 1),
    ("first 7x7/2 224,3", 64, 224, 3, 64, 7, 2), ("mnist 3x3 28,1", 128, 28, 1, 32, 3, 1),
    ("mnist 3x3 13,32", 128, 13, 32, 64, 3, 1), ("batch 1 3x3 14,256", 1, 14, 256, 256, 3, 1)]


@section
def convolutions(d):
    """Twelve convolutions with bias and ReLU, forward and both gradients, TF32 off and on: milliseconds."""
    found = []
    for name, n, size, c, k, window, stride in LAYERS[:2] if DRY else LAYERS:
        if DRY:
            n, size, c, k = 1, 4, 4, 4
        conv = layers.Conv2D(k, window, stride, "same", activation="relu")
        with device.use(d):
            conv.build((None, size, size, c))
        x = d.put(np.random.default_rng(0).standard_normal((n, size, size, c), np.float32))
        y, _ = conv.forward(x, layers.Call())
        dy = d.put(np.random.default_rng(1).standard_normal(y.shape, np.float32))
        flop = 2 * conv.multiply_adds() * n
        row = {"layer": name, "gflop": flop / 1e9}
        for tf32 in (False, True):
            fc.config.set_tf32(tf32)
            kind = "tf32" if tf32 else "fp32"
            row[f"forward {kind}"] = milliseconds(partial(conv.predict, x), d.synchronize)
            row[f"step {kind}"] = milliseconds(partial(_step, conv, x, dy), d.synchronize)
            row |= {f"torch {what} {kind}": ms for what, ms in _of_torch(d.get(x), conv, window, stride, tf32).items()}
        fc.config.set_tf32(False)
        found.append(row)
        print("   ", {key: round(one, 3) if isinstance(one, float) else one for key, one in row.items()}, flush=True)
    return found


def _step(conv, x, dy):
    conv.forward(x, layers.Call())[1](dy)


def _of_torch(x, conv, window, stride, tf32):
    if TORCH is None:
        return {}
    TORCH.backends.cudnn.benchmark, TORCH.backends.cudnn.allow_tf32 = True, tf32
    t = TORCH.tensor(x, device="cuda").permute(0, 3, 1, 2).requires_grad_()
    w = TORCH.tensor(conv.kernel.numpy(), device="cuda").permute(3, 2, 0, 1)
    w = w.contiguous(memory_format=TORCH.channels_last).requires_grad_()
    b = TORCH.tensor(conv.bias.numpy(), device="cuda").requires_grad_()
    run = lambda: F.conv2d(t, w, b, stride=stride, padding=(window - 1) // 2).relu_()
    dy = TORCH.randn_like(run())

    def forward():
        with TORCH.no_grad():
            run()

    return {"forward": milliseconds(forward, TORCH.cuda.synchronize),
            "step": milliseconds(lambda: run().backward(dy), TORCH.cuda.synchronize)}


NETWORKS = {"LeNet-5": fc.applications.LeNet5, "the convnet": fc.applications.ConvNet,
            "ResNet-20": fc.applications.by_name["resnet20"]}


def _compiled(make):
    fc.utils.clear_session()
    fc.utils.set_random_seed(1)
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.to("cuda")


@section
def training_steps(d):
    """Three networks at batch 128: milliseconds a step, of the host and in all, and of predictions."""
    found = {}
    for name, make in list(NETWORKS.items())[:1 if DRY else 3]:
        model, batch = _compiled(make), 1 if DRY else 128
        x = np.random.default_rng(0).random((batch, *model.input_shape[1:]), np.float32)
        y = np.arange(batch) % 10
        model.train_on_batch(x, y)
        host = []
        for _ in range(1 if DRY else 10):
            d.synchronize()
            start = time.perf_counter()
            step = model.forward_with_loss([x], [y], None, layers.Call(1, 1, wants_dx=False))
            step.backward()
            model.optimizer.step()
            host.append((time.perf_counter() - start) * 1e3)
        found[name] = {
            "host": statistics.median(host), "step": milliseconds(partial(model.train_on_batch, x, y), d.synchronize),
            "one image": milliseconds(partial(model.predict, x[:1]), d.synchronize)}
        print("   ", name, found[name], flush=True)
    return found


@section
def mnist(d):
    """Three epochs of the convnet on 60,000 images of MNIST's size: seconds, with the copying of batches."""
    model, count = _compiled(fc.applications.ConvNet), 2 if DRY else 60_000
    if DRY:
        return "not in the simulator"
    x, y = np.random.default_rng(0).random((count, 28, 28, 1), np.float32), np.arange(count) % 10
    model.fit(x[:512], y[:512], 128, verbose=0)
    start = time.perf_counter()
    model.fit(x, y, 128, epochs=3, verbose=0)
    d.synchronize()
    return {"seconds": time.perf_counter() - start}


@section
def launches_and_transfers(d):
    """Microseconds of a launch on the host, GB/s of copies, and what memory costs."""
    a = d.zeros((1024,), np.float32)
    count = 20 if DRY else 2000
    start = time.perf_counter()
    for _ in range(count):
        d.kernels.add(a, a, a)
    launch = (time.perf_counter() - start) / count * 1e6
    big = np.zeros((1 << (10 if DRY else 24),), np.float32)
    there = d.put(big)
    return {"a launch, us": launch,
            "to the card, GB/s": big.nbytes / milliseconds(lambda: d.put(big), d.synchronize, at_once=3) / 1e6,
            "from it, GB/s": big.nbytes / milliseconds(lambda: d.get(there), d.synchronize, at_once=3) / 1e6,
            "within it, GB/s": 2 * big.nbytes / milliseconds(
                lambda: d.copy(d.empty(there.shape, there.dtype), there), d.synchronize) / 1e6,
            "held": d.card.held[0], "blocks": d.allocated}


@section
def equal_bits(d):
    """Whether three trainings leave the same bits."""
    found = set()
    for _ in range(3):
        model, count = _compiled(fc.applications.LeNet5), 1 if DRY else 512
        x = np.random.default_rng(0).random((count, 28, 28, 1), np.float32)
        model.fit(x, np.arange(count) % 10, 64, epochs=1 if DRY else 2, verbose=0)
        found.add(b"".join(w.tobytes() for w in model.get_weights()))
        if DRY:
            break
    return {"different": len(found)}


def main():
    begin = time.perf_counter()
    parser = argparse.ArgumentParser(prog="python -m asv_benchmarks.gpu")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=220.0)
    parser.add_argument("--only", nargs="*", choices=list(SECTIONS))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    d = device.named("cuda")
    failed = 0
    for name, run in SECTIONS.items():
        file = given.folder / f"{name}.json"
        if (given.only and name not in given.only) or file.exists():
            continue
        if time.perf_counter() - begin > given.seconds:
            print(f"--- {name}: left for another run, the time is up")
            continue
        print(f"--- {name}", flush=True)
        start = time.perf_counter()
        try:
            result = run(d)
        except Exception:
            print(traceback.format_exc()[-2000:], flush=True)
            failed += 1
            continue
        file.write_text(json.dumps(result, indent=1, default=str))
        print(f"    {json.dumps(result, default=str)[:400]}\n    {time.perf_counter() - start:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
