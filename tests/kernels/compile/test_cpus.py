"""How many CPUs a process may use, from made-up folders of control groups."""

import os
import subprocess
import sys
import textwrap

import pytest

from fastcnn.kernels.cpu.compile import cpus
from tests.kernels.compile.test_policy import ROOT

V1 = "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
OTHERS = ("21 1 0:19 / /sys rw - sysfs sysfs rw\n"
          "34 32 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n")


def system(root, groups, mounts, **files):
    """Make a system in a folder: what the process is in, what is mounted where, and the files of groups."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text(OTHERS + mounts)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [cpus for _, cpus in cpus.quotas(root)]


def test_a_quota_of_version_2(tmp_path):
    assert system(tmp_path, "0::/app.slice\n", V2, app_dot_slice__cpu_dot_max="150000 100000\n") == [1.5]


def test_no_quota_in_either_version(tmp_path):
    groups = "1:cpu,cpuacct:/a\n0::/a\n"
    files = {"a__cpu_dot_max": "max 100000\n", "cpu_dot_max": "max 100000\n",
             "cpu,cpuacct__a__cpu_dot_cfs_quota_us": "-1\n", "cpu,cpuacct__a__cpu_dot_cfs_period_us": "100000\n"}
    assert system(tmp_path, groups, V1 + V2, **files) == []


def test_a_quota_of_version_1(tmp_path):
    files = {"cpu,cpuacct__docker__b__cpu_dot_cfs_quota_us": "200000\n",
             "cpu,cpuacct__docker__b__cpu_dot_cfs_period_us": "50000\n"}
    assert system(tmp_path, "9:cpuset:/x\n4:cpu,cpuacct:/docker/b\n0::/\n", V1, **files) == [4.0]


def test_every_group_around_has_a_say(tmp_path):
    found = system(tmp_path, "0::/a/b/c\n", V2, a__b__c__cpu_dot_max="400000 100000", a__cpu_dot_max="300000 100000")
    assert found == [4.0, 3.0]


@pytest.mark.parametrize(("path", "mounted"), [("/docker/b", "/docker/b"), ("/", "/"), ("/../../b", "/")])
def test_in_a_container_its_own_group_is_what_is_mounted(tmp_path, path, mounted):
    mounts = V2.replace(" / /sys", f" {mounted} /sys")
    assert system(tmp_path, f"0::{path}\n", mounts, cpu_dot_max="50000 100000") == [0.5]


@pytest.mark.parametrize("text", ["", "100000", "lots 100000", "1 0", "1 2 3"])
def test_a_file_that_says_nothing_sensible_is_no_limit(tmp_path, text):
    assert system(tmp_path, "0::/\n", V2, cpu_dot_max=text) == []


@pytest.mark.parametrize("groups", ["", "nonsense\n", "0::/\n"])
def test_a_system_that_tells_nothing_has_no_limit(tmp_path, groups):
    assert system(tmp_path, groups, "") == []
    assert list(cpus.quotas(tmp_path / "absent")) == []


def test_the_least_limit_holds_and_is_told(tmp_path):
    system(tmp_path, "0::/a\n", V2, a__cpu_dot_max="25000 100000", cpu_dot_max="100000 100000")
    usable = cpus.usable(tmp_path)
    assert (usable.cpus, usable.threads) == (0.25, 1)
    assert usable.limit == f"a quota of 0.25 in {tmp_path}/sys/fs/cgroup/a/cpu.max"


@pytest.mark.skipif(len(getattr(os, "sched_getaffinity", lambda _: [0])(0)) < 2, reason="needs two CPUs")
@pytest.mark.parametrize(("asked", "threads"), [(None, 1), ("2", 2)])
def test_numba_starts_no_more_threads_than_a_quota_allows_unless_the_user_says_so(asked, threads):
    code = f"""
        import importlib.util, os, sys, threading
        import numpy as np
        spec = importlib.util.spec_from_file_location("cpus", {str(cpus.__file__)!r})
        cpus = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cpus)
        cpus.usable = lambda: cpus.Usable(1.5, "made up")
        sys.modules["fastcnn.kernels.cpu.compile.cpus"] = cpus
        from fastcnn.kernels.cpu.compile import threads
        from fastcnn.kernels.cpu.layout import arrays
        import numba
        found = [numba.get_num_threads()]
        beside = threading.Thread(target=lambda: found.append(numba.get_num_threads()))
        beside.start()
        beside.join()
        os.environ["NUMBA_DEBUG_CACHE"] = "0"  # Numba reads its variables again before it compiles
        numba.njit(lambda x: x + 1)(1)
        a = np.ones(100_000, np.float32)
        arrays.add(out := np.empty_like(a), a, a)
        assert (out == 2).all()
        print(*found, numba.config.NUMBA_NUM_THREADS, threads.limit)
    """
    env = {key: value for key, value in os.environ.items() if key != "NUMBA_NUM_THREADS"}
    env |= {"PYTHONPATH": str(ROOT)} | ({} if asked is None else {"NUMBA_NUM_THREADS": asked})
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    said = "made up" if asked is None else "set by NUMBA_NUM_THREADS"
    assert done.stdout.strip() == f"{threads} {threads} {threads} {said}"
