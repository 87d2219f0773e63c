"""The suite for its users: what is fast, what begins, and what is remembered of a run."""

import pytest

from tests import suite

SECONDS = {"tests/a/test_x.py": 1.0, "tests/a/test_x.py::test_rows": 40.0, "tests/a/test_x.py::test_one": 39.0,
           "tests/b/test_y.py": 2.0, f"tests/{suite.PEERS}/test_z.py": 500.0}


def test_the_share_of_a_function_is_what_lets_all_of_them_take_the_time_there_is(monkeypatch):
    monkeypatch.setattr(suite, "FAST", 25.0)
    assert suite.share(SECONDS) == (25 - 1 - 2) / 2
    monkeypatch.setattr(suite, "FAST", 5.0)
    assert suite.share(SECONDS) == (5 - 1) / 3
    assert suite.share({}) == 5.0


def test_a_function_of_many_rows_is_fast_in_some_of_them_and_a_long_one_not_at_all(monkeypatch):
    monkeypatch.setattr(suite, "FAST", 25.0)  # 11 for one function
    rows = [f"tests/a/test_x.py::test_rows[{row}]" for row in range(11)]
    others = ["tests/a/test_x.py::test_one", "tests/a/test_x.py::test_short", "tests/c/test_new.py::test_new[a::b]",
              f"tests/{suite.PEERS}/test_z.py::test_z"]
    assert suite.fast(rows + others, SECONDS) == {rows[0], rows[3], rows[7], *others[1:3]}


def test_a_fast_run_tells_what_was_not_so_fast():
    assert suite.too_slow({"a": 0.5, "b": 1.5, "c": 9.0}, {str(n): 100.0 for n in range(1000)}) == ["c", "b"]


def test_new_files_begin_and_then_the_slowest():
    nodeids = ["tests/b/test_y.py::test_y", "tests/a/test_x.py::test_one", "tests/c/test_new.py::test_new"]
    place = suite.slowest_first(nodeids, SECONDS)
    assert sorted(place, key=place.get) == ["tests/c/test_new.py", "tests/a/test_x.py", "tests/b/test_y.py"]


def test_what_was_measured_is_read_again_and_what_is_gone_is_forgotten(tmp_path):
    table, here = tmp_path / "seconds.txt", "tests/test_suite.py"
    suite.write({f"{here}::test_a": 1.0, f"{here}::test_b": 0.25, f"{here}::test_c": 0.1, f"{here}::test_d": 0.02,
                 "tests/test_house.py::test_e": 3.0, "tests/test_gone.py::test_f": 2.0}, table)
    first = suite.read(table)
    assert first == {f"{here}::test_a": 1.0, f"{here}::test_b": 0.25, here: 0.12, "tests/test_house.py::test_e": 3.0,
                     "tests/test_gone.py::test_f": 2.0}
    suite.write({f"{here}::test_a": 1.3, f"{here}::test_b": 0.5}, table)
    assert suite.read(table) == {f"{here}::test_a": 1.0, f"{here}::test_b": 0.5, "tests/test_house.py::test_e": 3.0}


@pytest.mark.parametrize("room", [room for room in suite.rooms() if not room.endswith(f"/{suite.PEERS}")])
def test_every_room_has_fast_tests(room):
    assert suite.fast(suite.rooms()[room], suite.read())
