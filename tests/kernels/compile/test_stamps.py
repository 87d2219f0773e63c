"""What decides about the name of a compiled kernel's file: the files that it imports."""

import ast
import os

from fastcnn.kernels.cpu.compile import cache


def test_the_imports_of_a_kernels_file_are_found_as_python_finds_them():
    def imported(node):
        if isinstance(node, ast.ImportFrom) and node.module:
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []

    for room in ("kernels", "geometry"):
        for path in sorted((cache._PACKAGE / room).rglob("*.py")):
            names = [name for node in ast.walk(ast.parse(path.read_bytes())) for name in imported(node)]
            assert {file for name in names if (file := cache._file_of(name))} <= set(cache._imports(path)), path


def test_imports_over_lines_with_comments_and_other_names_are_found():
    text = """
from fastcnn.geometry import CONV2D as shape  # a comment, with a comma
from fastcnn.kernels.cpu.simd.width import (
    lanes,  # of a vector
    lanes_of as of,
)
    from fastcnn.kernels import codes
import numpy as np
"""
    assert cache._imported(text) == ["fastcnn.geometry.CONV2D", "fastcnn.kernels.cpu.simd.width.lanes",
                                     "fastcnn.kernels.cpu.simd.width.lanes_of", "fastcnn.kernels.codes"]


def test_a_file_that_was_edited_after_the_start_has_a_stamp_of_its_own(tmp_path, monkeypatch):
    path, old = tmp_path / "kernel.py", cache._started
    path.write_text("x = 1\n")
    os.utime(path, ns=(old - 1, old - 1))
    before = cache._digest_of.__wrapped__(path)
    os.utime(path, ns=(old + 1, old + 1))
    edited = cache._digest_of.__wrapped__(path)
    monkeypatch.setattr(cache, "_started", old + 2)  # another process, which has imported the new text
    assert cache._digest_of.__wrapped__(path) == before != edited
    os.utime(path, ns=(2 * old, 2 * old))  # a clock that is wrong is no edit
    assert cache._digest_of.__wrapped__(path) == before
