"""How much memory a process may still take, from made-up folders of a system and its control groups."""

import pytest

from fastcnn.available_memory import available_memory

MOUNTS = ("30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
          "33 32 0:29 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n")


def system(root, groups="0::/a/b\n", free="4096 kB", **files):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text(MOUNTS)
    (root / "proc/meminfo").write_text(f"MemTotal:  8192 kB\nMemFree:  1 kB\nMemAvailable:  {free}\n")
    for name, (limit, usage, cached) in files.items():
        folder = root / "sys/fs/cgroup" / name.replace("__", "/").removesuffix("root")
        folder.mkdir(parents=True, exist_ok=True)
        old = name.startswith("memory")
        (folder / ("memory.limit_in_bytes" if old else "memory.max")).write_text(limit)
        (folder / ("memory.usage_in_bytes" if old else "memory.current")).write_text(usage)
        (folder / "memory.stat").write_text(f"anon 7\n{'total_' * old}inactive_file {cached}\n")
    return available_memory(root)


def test_what_the_system_has_left_is_what_can_be_taken(tmp_path):
    assert system(tmp_path) == 4096 * 1024


def test_a_limit_of_a_group_or_of_one_around_it_holds_and_what_was_read_from_files_gives_way(tmp_path):
    assert system(tmp_path, a__b=("max\n", "0", "0"), a=("1000000\n", "300000\n", "100000")) == 800_000


def test_a_limit_of_the_first_version_holds_and_a_group_that_is_full_leaves_nothing(tmp_path):
    assert system(tmp_path / "one", "4:memory:/c\n", memory__c=("2000000", "500000", "0")) == 1_500_000
    assert system(tmp_path / "two", "4:memory:/c\n", memory__c=("2000000", "2500000", "0")) == 0


@pytest.mark.parametrize("text", ["", "lots kB"])
def test_what_says_nothing_sensible_is_no_limit(tmp_path, text):
    assert system(tmp_path, a=("much", "1", "1"), free=text) is None or available_memory(tmp_path) > 2**20
