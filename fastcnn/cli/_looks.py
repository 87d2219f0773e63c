"""How often the test images of a run were looked at: each look makes the next one tell less."""

import time
from pathlib import Path

import msgspec

from fastcnn.cli._task import Score

LOOKS = "looks.jsonl"


def look(folder: Path, dataset: str, report: Score) -> str:
    """Write a look at test images into the folder of a run, and return a line that counts those at this data set.

    A folder that cannot be written costs the count, not the result.
    """
    entry = {"time": time.strftime("%Y-%m-%d %H:%M:%S"), "dataset": dataset, "images": report.examples,
             **report.figures}  # fmt: skip
    path = folder / LOOKS
    try:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")
        lines = path.read_bytes().splitlines()
    except OSError as error:
        return f"note   {path} could not be written ({error.strerror}): this look is not counted"
    count = sum(_is_at(line, dataset) for line in lines)
    if count == 1:
        return "note   first look at these test images"
    return f"note   look number {count} at these test images: decisions taken by them make the figure too good"


def _is_at(line: bytes, dataset: str) -> bool:
    try:
        entry = msgspec.json.decode(line)
    except msgspec.DecodeError:  # the end of a line that a full disk cut off
        return False
    return isinstance(entry, dict) and entry.get("dataset") == dataset
