"""The compile policy: the cache sees every edit, survives everything, and never stands in the way."""

import gc
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest

import fastcnn
from fastcnn.kernels.cpu.compile import policy, threads
from tests import processes

ROOT = Path(fastcnn.__file__).parents[1]

ADD = """
    import numpy as np, warnings
    from fastcnn.kernels.cpu.layout.arrays import add
    a = np.arange(9, dtype=np.float32)
    out = np.empty_like(a)
    add(out, a, a)
    assert (out == 2 * a).all()
    print(sum(add.stats.cache_hits.values()), sum(add.stats.cache_misses.values()))
"""


def run(code, cache, **env):
    """Run Python in a process of its own with a kernel cache; return (output, errors)."""
    code, path, env = textwrap.dedent(code), env.pop("path", ROOT), {"FASTCNN_CACHE_DIR": str(cache), **env}
    if path == ROOT and processes.can_be_forked(env):
        done = processes.code(code, cwd=path, env=os.environ | env)
    else:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=path,
                              env=os.environ | env | {"PYTHONPATH": str(path)})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def listing(folder):
    return {p.name: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.iterdir()}


def test_a_second_process_misses_nothing_and_writes_nothing(tmp_path):
    assert run(ADD, tmp_path)[0] == "0 1"
    before = listing(tmp_path)
    assert run(ADD, tmp_path)[0] == "1 0"
    assert listing(tmp_path) == before
    assert len(before) == 1


# One of the two shared functions of its file is compiled, and nothing but the kernel and it.
ACTIVATE = """
    import numpy as np
    from numba.core import event
    from fastcnn.kernels.codes import RELU
    from fastcnn.kernels.cpu.elementwise.activation import activation_forward
    x = np.linspace(-1, 1, 9, dtype=np.float32)
    y = np.empty_like(x)
    with event.install_recorder("numba:compile") as compiled:
        activation_forward(y, x, RELU, 0.0, 0.0)
    assert (y == np.maximum(x, 0)).all()
    print(sum(e.is_start for _, e in compiled.buffer))
"""


def test_a_kernel_from_the_cache_brings_the_shared_functions_it_calls_and_compiles_no_other(tmp_path):
    assert int(run(ACTIVATE, tmp_path)[0]) > 2
    before = listing(tmp_path)
    assert {name.split("-")[0] for name in before} == {
        "elementwise.activation.activation_forward", "elementwise.activate._activate"}
    assert run(ACTIVATE, tmp_path)[0] == "0"
    assert listing(tmp_path) == before


def test_a_kernel_whose_shared_function_was_lost_from_the_cache_brings_it_anew(tmp_path):
    run(ACTIVATE, tmp_path)
    (lost,) = tmp_path.glob("elementwise.activate._activate-*")
    lost.unlink()
    assert int(run(ACTIVATE, tmp_path)[0]) > 0
    assert lost.exists()
    assert run(ACTIVATE, tmp_path)[0] == "0"


def test_an_edit_in_any_file_that_a_kernel_is_compiled_from_is_seen(tmp_path):
    package = tmp_path / "fastcnn"
    cpu = package / "kernels" / "cpu"
    for folder in (package / "geometry", package / "formats", cpu / "compile", cpu / "one", cpu / "other"):
        folder.mkdir(parents=True)
    rooms = ROOT / "fastcnn", ROOT / "fastcnn" / "formats", ROOT / "fastcnn" / "kernels" / "cpu" / "compile"
    for path in (path for room in rooms for path in room.glob("*.py")):
        (tmp_path / path.relative_to(ROOT)).write_text(path.read_text())
    for folder in (package, package / "kernels", cpu, cpu / "one", cpu / "other"):
        (folder / "__init__.py").write_text("")
    files = {
        "kernels/cpu/one/helper.py": "from fastcnn.kernels.cpu.compile.policy import inlined\n"
                                     "@inlined\ndef f(x):\n    return x + {}\n",
        "kernels/cpu/other/__init__.py": "TEN = {}\n",
        "kernels/codes.py": "HUNDRED = {}\n",
        "geometry/__init__.py": "THOUSAND = {}\n",
        "kernels/cpu/one/user.py": "from fastcnn.geometry import THOUSAND\n"
                                   "from fastcnn.kernels import codes\n"
                                   "from fastcnn.kernels.cpu.compile.policy import kernel\n"
                                   "from fastcnn.kernels.cpu.one.helper import f\n"
                                   "from fastcnn.kernels.cpu.other import TEN\n"
                                   "@kernel\ndef k(out):\n    out[0] = f(TEN + codes.HUNDRED + THOUSAND) + {}\n",
    }
    code = """
        import numpy as np
        from fastcnn.kernels.cpu.one.user import k
        out = np.zeros(1)
        k(out)
        print(int(out[0]))
    """
    cache, total = tmp_path / "cache", 0
    for name, text in files.items():
        (package / name).write_text(text.format(0))
    for edited, (name, text) in enumerate(files.items()):
        (package / name).write_text(text.format(10**edited))
        total += 10**edited
        assert run(code, cache, path=tmp_path)[0] == str(total)
    assert run(code, cache, path=tmp_path)[0] == str(total)
    assert len(listing(cache)) == len(files)


def test_a_damaged_entry_is_compiled_anew_with_one_warning(tmp_path):
    run(ADD, tmp_path)
    (entry,) = tmp_path.iterdir()
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    out, errors = run(ADD, tmp_path)
    assert out == "0 1"
    assert errors.count("could not be read") == 1
    assert run(ADD, tmp_path)[0] == "1 0"


def test_without_a_writable_folder_kernels_still_run_and_say_so_once(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    code = ADD + """
    from fastcnn.kernels.cpu.layout.arrays import pad2d
    x = np.ones((1, 2, 2, 1))
    pad2d(x.copy(), x, 0, 0)
"""
    out, errors = run(code, file / "below")
    assert out == "0 1"
    assert errors.count("RuntimeWarning") == 1
    assert "FASTCNN_CACHE_DIR" in errors


@pytest.mark.parametrize("folder", ["x" * 300, "/proc/nowhere", "~a user that nobody knows/kernels"])
def test_a_folder_that_cannot_be_is_one_warning(tmp_path, folder):
    out, errors = run(f"import os; os.chdir({str(tmp_path)!r})" + textwrap.dedent(ADD), folder)
    assert out == "0 1"
    assert errors.count("RuntimeWarning") == 1
    assert "could not be written" in errors
    assert listing(tmp_path) == {}


def test_a_home_folder_is_known_by_its_sign(tmp_path):
    assert run(ADD, "~/kernels", HOME=str(tmp_path))[0] == "0 1"
    assert len(listing(tmp_path / "kernels")) == 1


def test_a_full_disk_leaves_no_half_written_entry(tmp_path):
    limit = "\n    import resource\n    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n" \
            "    import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    out, errors = run(limit + ADD, tmp_path)
    assert out == "0 1"
    assert errors.count("could not be written") == 1
    assert listing(tmp_path) == {}


def test_four_processes_may_start_cold_at_once(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "FASTCNN_CACHE_DIR": str(tmp_path)}
    code = textwrap.dedent(ADD)
    running = [subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True)
               for _ in range(4)]
    assert [p.communicate()[0].strip() != "" for p in running] == [True] * 4
    assert [p.returncode for p in running] == [0] * 4
    assert run(ADD, tmp_path)[0] == "1 0"
    assert len(listing(tmp_path)) == 1


def test_every_threading_layer_and_number_of_threads_gives_the_same_bits():
    code = """
        import numpy as np, numba, hashlib
        from fastcnn import geometry
        from fastcnn.kernels import cpu
        from fastcnn.kernels.cpu.compile import threads
        g = geometry.conv2d((8, 14, 14, 6), 16, (5, 5))
        draw = np.random.default_rng(1)
        x = draw.standard_normal((8, 14, 14, 6)).astype(np.float32)
        dy = draw.standard_normal((8, 10, 10, 16)).astype(np.float32)
        for number in (1, 2):
            numba.set_num_threads(number)
            dw, db = np.zeros((5, 5, 6, 16), np.float32), np.zeros(16, np.float32)
            scratch = np.empty(cpu.conv2d_backward_weights_scratch(g, x.dtype), np.float32)
            cpu.conv2d_backward_weights(dw, db, scratch, x, dy, g)
            print(hashlib.sha256(dw.tobytes() + db.tobytes()).hexdigest())
        print(threads.layer())
    """
    digests, used = set(), []
    for layer in ("tbb", "omp", "workqueue"):
        try:
            out, _ = run(code, os.environ["FASTCNN_CACHE_DIR"], NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")
        except AssertionError as error:
            if "threading layer" not in str(error):
                raise
            continue  # not installed here
        *found, name = out.split()
        digests.update(found)
        used.append(name)
        assert name == layer
    assert "workqueue" in used  # comes with Numba
    assert len(digests) == 1


@pytest.mark.parametrize("asked", [{}, {"OMP_WAIT_POLICY": "active"}], ids=["unset", "active"])
def test_the_environment_is_left_as_it_was(asked, tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    code = """
        import os
        before = dict(os.environ)
        from fastcnn.kernels.cpu.compile import threads
        print(threads.layer(), dict(os.environ) == before)
    """
    layer, is_same = run(code, tmp_path, **asked)[0].split()
    assert is_same == "True"
    assert (layer, threads.reason != "not started") == (threads.layer(), True)


def test_a_kernel_may_be_called_from_a_users_own_compiled_code():
    from fastcnn.kernels.cpu.layout.arrays import add

    @numba.njit
    def twice(out, x):
        add(out, x, x)
        return out.sum()

    x = np.ones(7, np.float32)
    assert twice(np.empty_like(x), x) == 14


def test_an_inlined_function_runs_as_python_when_python_calls_it():
    assert policy.chunk_of(1, 4, 10) == (2, 5)
    assert policy.chunks_for(10, 64) == 1


def test_the_entry_of_a_kernel_is_its_code_for_types_that_were_compiled_and_the_kernel_itself_for_others():
    from fastcnn.kernels.cpu.layout.arrays import add

    a, out = np.arange(9, dtype=np.float32), np.zeros(9, np.float32)
    add(out, a, a)
    entry = add.entry((out, a, a))
    assert (entry is add) == (threads.layer() == "workqueue")
    entry(out, a, out)
    np.testing.assert_array_equal(out, 3 * a)
    assert add.entry((out.astype(complex), a, a)) is add


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_collected_after_a_compilation_if_it_was_before_and_not_within(collects):
    found = []

    def seen(typingctx):
        found.append(gc.isenabled())
        return numba.types.int64(), lambda context, builder, signature, args: context.get_constant(numba.types.int64, 1)

    one = numba.extending.intrinsic(seen)

    def wrong():
        return one() + None

    def right():
        return one()

    before = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with pytest.raises(numba.TypingError):
            policy.inlined(wrong).compile(())
        after_failure = gc.isenabled()
        policy.inlined(right).compile(())
        assert (after_failure, gc.isenabled()) == (collects, collects)
        assert found
        assert not any(found)
    finally:
        (gc.enable if before else gc.disable)()
