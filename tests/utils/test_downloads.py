"""Files by their address, hashes, archives that would leave their folder."""

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError, DataError


def fetched(tmp_path, origin, **named):
    return fc.utils.get_file(origin=(tmp_path / origin).as_uri(), cache_dir=tmp_path / "cache", **named)


@pytest.mark.parametrize(("algorithm", "name"), [("md5", "auto"), ("sha256", "auto"), ("sha256", "sha256")])
def test_a_file_is_fetched_once_and_again_where_its_hash_is_another(tmp_path, algorithm, name):
    (tmp_path / "a.txt").write_text("first")
    path = fetched(tmp_path, "a.txt")
    assert path == str(tmp_path / "cache" / "datasets" / "a.txt")
    (tmp_path / "a.txt").write_text("second")
    assert Path(fetched(tmp_path, "a.txt")).read_text() == "first"
    digest = hashlib.new(algorithm, b"second").hexdigest()
    assert Path(fetched(tmp_path, "a.txt", file_hash=digest, hash_algorithm=name)).read_text() == "second"
    (tmp_path / "a.txt").write_text("third")
    assert Path(fetched(tmp_path, "a.txt", force_download=True)).read_text() == "third"
    with pytest.raises(DataError, match=r"expected a\.txt from"):
        fetched(tmp_path, "a.txt", file_hash=digest, force_download=True)
    assert Path(path).read_text() == "third"
    assert os.listdir(tmp_path / "cache" / "datasets") == ["a.txt"]


def test_a_file_that_is_not_there_is_said_with_its_address(tmp_path):
    with pytest.raises(DataError, match=r"get_file: expected no\.txt from file:.*No such file"):
        fetched(tmp_path, "no.txt")
    assert os.listdir(tmp_path / "cache" / "datasets") == []


def packed(path, members):
    """Write an archive of files by their names; a member may be a TarInfo."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in members:
                archive.writestr(name, text)
        return
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))


@pytest.mark.parametrize("name", ["set.tar.gz", "set.zip"])
def test_an_archive_is_unpacked_into_a_folder_and_once(tmp_path, name):
    packed(tmp_path / name, [("a/1.txt", "one"), ("b.txt", "two")])
    folder = fetched(tmp_path, name, extract=True)
    assert folder == str(tmp_path / "cache" / "datasets" / name)
    assert Path(folder, "a", "1.txt").read_text() == "one"
    os.remove(os.path.join(folder, "b.txt"))
    assert not os.path.exists(os.path.join(fetched(tmp_path, name, extract=True), "b.txt"))
    again = fetched(tmp_path, name, extract=True, force_download=True)
    assert sorted(os.listdir(again)) == ["a", "b.txt"]
    assert fetched(tmp_path, name, fname="mine", extract=True).endswith("mine")
    assert fetched(tmp_path, name, fname="mine.x", extract=True).endswith("mine_extracted")
    (tmp_path / "b.txt").write_text("text")
    with pytest.warns(UserWarning, match="no archive"):
        fetched(tmp_path, "b.txt", extract=True)


def link(name, to, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


HOSTILE = {
    "a path upwards": "../evil.txt", "a path upwards and down": "a/../../evil.txt",
    "an absolute path": "/tmp/evil.txt",
    "a drive": "C:/evil.txt", "a path of Windows": "..\\evil.txt",
    "a link upwards": link("a", "../..", tarfile.SYMTYPE),
    "a hard link": link("a", "../../evil", tarfile.LNKTYPE), "an absolute link": link("a", "/etc", tarfile.SYMTYPE),
    "a device": link("a", "", tarfile.CHRTYPE)}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_that_leaves_its_folder_is_refused_whole(tmp_path, case, kind):
    member = HOSTILE[case]
    if kind == "zip" and not isinstance(member, str):
        member = "x/../../evil.txt"
    packed(tmp_path / f"set.{kind}", [("good.txt", "good"), (member, "")])
    with pytest.raises(DataError, match="do not trust it"):
        fetched(tmp_path, f"set.{kind}", extract=True)
    assert os.listdir(tmp_path / "cache" / "datasets") == [f"set.{kind}_archive"]
    assert not list(tmp_path.rglob("evil*"))


def test_a_link_through_another_link_does_not_leave_the_folder(tmp_path):
    packed(tmp_path / "set.tar.gz", [(link("a", ".", tarfile.SYMTYPE), ""), (link("a/b", "..", tarfile.SYMTYPE), ""),
                                     ("a/b/evil.txt", "evil")])
    with pytest.raises(DataError, match="do not trust it"):
        fetched(tmp_path, "set.tar.gz", extract=True)
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_damaged_archive_leaves_nothing(tmp_path):
    packed(tmp_path / "set.tar.gz", [("a.txt", "x" * 100_000)])
    whole = (tmp_path / "set.tar.gz").read_bytes()
    (tmp_path / "set.tar.gz").write_bytes(whole[:-20])
    with pytest.raises(DataError, match="expected a whole archive, got a damaged one"):
        fetched(tmp_path, "set.tar.gz", extract=True)
    assert os.listdir(tmp_path / "cache" / "datasets") == ["set.tar.gz_archive"]


@pytest.mark.parametrize(("named", "text"), [
    ({"origin": None}, "expected origin, the file's address"), ({"origin": "words.txt"}, "such as https://"),
    ({"origin": "https://x.org/"}, "expected fname as the name of a file"),
    ({"origin": "https://x.org/a", "fname": "../a"}, "without a folder"),
    ({"origin": "https://x.org/a", "hash_algorithm": "crc"}, "expected hash_algorithm"),
])
def test_what_is_no_address_or_name_is_refused(named, text):
    with pytest.raises(ArgumentError, match=text):
        fc.utils.get_file(**named)
