"""Which annotations lie in a folder, of which part, and where their pictures are: Pascal VOC, COCO, YOLO."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from fastcnn.datasets._folders import DEV, TEST, TRAIN, visible
from fastcnn.datasets.annotated import coco, pascal_voc, yolo
from fastcnn.datasets.annotated.box_forms import Form
from fastcnn.datasets.annotated.parsed import Annotation
from fastcnn.errors import DataError

Kind = Literal["voc", "coco", "yolo"]
KINDS: tuple[Kind, ...] = ("voc", "coco", "yolo")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names", "names.txt")


class Part(NamedTuple):
    """The annotations of one part.

    Attributes
    ----------
    name : {"train", "dev", "test", "all"}
    annotations : list of Annotation
    places : list of Path
        Where their pictures may lie.
    names : tuple of str or None
        Of the classes, where they are told.
    """

    name: str
    annotations: list[Annotation]
    places: list[Path]
    names: tuple[str, ...] | None


def kind_of(path: Path) -> Kind | None:
    """Return whose annotations lie in a folder, or which a file is; None for none."""
    if path.is_file():
        return "coco" if path.suffix.lower() == ".json" else None
    inner = [one for one in visible(path) if one.is_dir()]
    folders = [path, *(one for one in inner if one.name == "Annotations" or part_name(one.name) != "all")]
    if any(_xml_in(folder) for folder in folders):
        return "voc"
    if _coco_files(path):
        return "coco"
    return "yolo" if _yolo_folders(path) else None


def parts_of(path: Path, kind: Kind) -> list[Part]:
    """Return the parts of a folder, or of COCO's file.

    Raises
    ------
    DataError
        A file without which nothing can be read: COCO's, names of classes; two parts for one purpose.
    """
    parts = {"voc": _voc, "coco": _coco, "yolo": _yolo}[kind](path)
    known = [part.name for part in parts]
    if len(set(known)) < len(known):
        raise DataError(f"{path}: expected one part of each name, got {', '.join(known)}")
    return parts


def form_of(kind: Kind) -> Form:
    """Return in which form parsed values are."""
    return "shares of centres" if kind == "yolo" else "corners"


def is_picture(file: Path) -> bool:
    """Return whether a file has the ending of a picture."""
    return file.suffix.lower() in _PICTURES


def part_name(text: str) -> str:
    """Return which part a folder or file is by its name: "train", "dev", "test" or "all"."""
    words = text.lower().replace("-", "_").replace(".", "_").split("_")
    for name, known in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        if any(word.rstrip("0123456789") in known for word in words):
            return name
    return "all"


def _voc(root: Path) -> list[Part]:
    folder = root / "Annotations" if (root / "Annotations").is_dir() else root
    places = [root / "JPEGImages", root / "images", folder, root]
    of_folders = [one for one in visible(root) if one.is_dir() and part_name(one.name) != "all"]
    if of_folders and not _xml_in(folder):
        return [Part(part_name(one.name), [_voc_at(root, file) for file in _xml_in(one)], [one, root], None)
                for one in of_folders if _xml_in(one)]
    sets = root / "ImageSets" / "Main"
    lists = {name: sets / f"{name}.txt" for name in ("train", "val", "trainval", "test")}
    told = {name: file for name, file in lists.items() if file.is_file()}
    if "train" in told or "trainval" in told:
        # The training part is what is not for decisions; with one list for both there is no such part.
        chosen = {"train": told.get("train", told.get("trainval")), "dev": told.get("val") if "train" in told else None,
                  "test": told.get("test")}
        return [Part(name, [_voc_at(root, folder / f"{stem}.xml") for stem in _stems(file)], places, None)
                for name, file in chosen.items() if file is not None]
    return [Part("all", [_voc_at(root, file) for file in _xml_in(folder)], places, None)]


def _xml_in(folder: Path) -> list[Path]:
    return [one for one in visible(folder) if one.suffix.lower() == ".xml"]


def _stems(file: Path) -> list[str]:
    """Return the names that a list of Pascal VOC has, the first word of each line."""
    lines = _text(file.read_bytes(), file.name).splitlines()
    return [line.split()[0] for line in lines if line.split()]


def _voc_at(root: Path, file: Path) -> Annotation:
    source = _source(root, file)
    if ".." in Path(source).parts or not _is_within(root, file):
        return Annotation(source, None, "", None, [], "lies outside the folder of the data set")
    found = _read(file, source, lambda data: pascal_voc.parse(data, source))
    if found.picture and not any((place / found.picture).is_file() for place in (
            root / "JPEGImages", root / "images", file.parent, root) if "\0" not in found.picture and len(
                found.picture) < 200):
        # Many sets have been given other file names since: the annotation's own name finds the picture.
        beside = [place / f"{file.stem}{ending}" for place in (root / "JPEGImages", root / "images", file.parent, root)
                  for ending in _PICTURES]
        same = next((one for one in beside if one.is_file()), None)
        is_plain = "/" not in found.picture and "\\" not in found.picture
        return found._replace(picture=same.name) if same is not None and is_plain else found
    return found


def _coco_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    folders = [path, *(one for one in visible(path) if one.is_dir())]
    return [one for folder in folders for one in visible(folder) if one.suffix.lower() == ".json" and (
        folder.name == "annotations" or "coco" in one.name or "instances" in one.name)
            and not one.name.startswith(("captions", "person_keypoints"))]


def _coco(path: Path) -> list[Part]:
    root = path if path.is_dir() else _root_of(path)
    parts = list[Part]()
    for file in _coco_files(path):
        source = _source(root, file)
        annotations, names = coco.parse(file.read_bytes(), source)
        stem = file.stem.removeprefix("instances_")
        places = [root / stem, root / "images" / stem, root / "images", file.parent, file.parent / "images", root]
        own = part_name(file.stem) if path.is_dir() else "all"
        if own == "all" and file.parent != root:
            own = part_name(file.parent.name)
        parts.append(Part(own, annotations, places, names))
    if any(part.names != parts[0].names for part in parts):
        raise DataError(f"{path}: expected the same categories in all parts, got others")
    return parts


def _root_of(file: Path) -> Path:
    return file.parent.parent if file.parent.name == "annotations" else file.parent


def root_of(path: Path) -> Path:
    """Return the folder out of which no picture may lie."""
    return path if path.is_dir() else _root_of(path)


def _yolo_folders(root: Path) -> list[tuple[str, Path, Path]]:
    """Return part, folder of pictures and folder of labels."""
    found = list[tuple[str, Path, Path]]()
    labels, images = root / "labels", root / "images"
    if labels.is_dir() and images.is_dir():
        inner = [one for one in visible(labels) if one.is_dir() and part_name(one.name) != "all"]
        found = [(part_name(one.name), images / one.name, one) for one in inner] or [("all", images, labels)]
    for one in visible(root):
        if one.is_dir() and part_name(one.name) != "all" and (one / "labels").is_dir() and (one / "images").is_dir():
            found.append((part_name(one.name), one / "images", one / "labels"))
    return [some for some in found if any(one.suffix == ".txt" for one in visible(some[2]))]


def _yolo(root: Path) -> list[Part]:
    file = next((root / name for name in _NAMES if (root / name).is_file()), None)
    if file is None:
        raise DataError(f"{root}: expected the names of the classes in data.yaml or classes.txt, got neither; write "
                        f"one name a line into classes.txt")
    names = yolo.names_in(_text(file.read_bytes(), file.name), file.name)
    parts = list[Part]()
    for part, images, labels in _yolo_folders(root):
        pictures = [one for one in visible(images) if is_picture(one)] if images.is_dir() else []
        annotations = list[Annotation]()
        for picture in pictures:
            label, where = labels / f"{picture.stem}.txt", picture.relative_to(root).as_posix()
            source = _source(root, label)
            annotations.append(_read(label, source, lambda data, s=source, w=where: yolo.parse(  # type: ignore[misc]
                data, s, w)) if label.is_file() else Annotation(source, None, where, None, []))
        known = {picture.stem for picture in pictures}
        annotations += [Annotation(_source(root, one), None, "", None, [], f"has no picture in {images.name}")
                        for one in visible(labels) if one.suffix == ".txt" and one.stem not in known
                        and one.name not in _NAMES]
        parts.append(Part(part, annotations, [root], names))
    return parts


def _read(file: Path, source: str, parse: Callable[[bytes], Annotation]) -> Annotation:
    """Return what a file tells; one that tells nothing has a problem."""
    try:
        return parse(file.read_bytes())
    except OSError as error:
        return Annotation(source, None, "", None, [], f"cannot be read: {error.strerror or error}")
    except DataError as error:
        return Annotation(source, None, "", None, [], str(error).removeprefix(source).lstrip(",: "))


def _text(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: expected text in UTF-8, got bytes that are none ({error.reason})") from None


def _source(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _is_within(root: Path, file: Path) -> bool:
    try:
        return file.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError):
        return False


def dealt(parts: Sequence[Part]) -> dict[str, Part]:
    """Return the parts "train", "test" and perhaps "dev": of one part alone every fifth picture is for testing."""
    named = {part.name: part for part in parts}
    if "all" in named and "train" not in named:
        whole = named.pop("all")
        test = whole.annotations[4::5]
        train = [one for k, one in enumerate(whole.annotations) if k % 5 != 4]
        return {"train": whole._replace(name="train", annotations=train),
                "test": whole._replace(name="test", annotations=test)}
    if "test" not in named and "dev" in named:
        named["test"] = named.pop("dev")
    if "test" not in named and "train" in named:
        return dealt([named["train"]._replace(name="all")])
    return named
