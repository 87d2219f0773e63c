"""Data sets with boxes: read, written, and what is wrong with them named by file, line and box."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcnn as fc
from fastcnn.datasets.annotated import coco, pascal_voc, yolo
from fastcnn.errors import ArgumentError, DataError
from tests.datasets import annotated_files as files

SOUND = [("cat", 1, 2, 30, 20), ("dog", 5.5, 0, 60, 40)]


def _same(one, other):
    for name in ("boxes", "offsets", "classes", "kinds", "sizes"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.names == other.names


def test_pascal_voc_is_read_with_pictures_of_several_sizes_and_without_boxes(tmp_path):
    files.voc(tmp_path, [SOUND, [], SOUND[:1], SOUND[1:], SOUND, SOUND], [(40, 60)] * 2 + [(50, 70)] * 4)
    data = fc.datasets.load(tmp_path)
    assert (data.task, data.classes, len(data.train), len(data.test)) == ("detection", ("cat", "dog"), 5, 1)
    assert data.train.offsets.tolist() == [0, 2, 2, 3, 4, 6]
    assert data.train[0].boxes.tolist() == [[1, 2, 30, 20], [5.5, 0, 60, 40]]
    assert data.train[0].image.shape == (40, 60, 3)
    assert data.train[2].image.shape == (50, 70, 3)
    assert data.train.files[0] == "JPEGImages/p0.png"
    assert data.train.counts() == {"cat": 3, "dog": 3}
    assert data.notes == ()


def test_the_parts_of_image_sets_are_kept(tmp_path):
    files.voc(tmp_path, [SOUND] * 4)
    for name, text in {"train": "p0\np1 1\n", "val": "p2\n", "test": "p3\n", "cat_train": "p0 -1\n"}.items():
        (tmp_path / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
        (tmp_path / "ImageSets" / "Main" / f"{name}.txt").write_text(text)
    data = fc.datasets.load(tmp_path)
    assert {name: part.files for name, part in data.parts.items()} == {
        "train": ("JPEGImages/p0.png", "JPEGImages/p1.png"), "dev": ("JPEGImages/p2.png",),
        "test": ("JPEGImages/p3.png",)}
    whole = data.train.joined(data.dev)
    assert len(whole) == 3
    assert whole[2].boxes.tolist() == data.dev[0].boxes.tolist()


FAULTS = {
    "no area": (("cat", 5, 5, 5, 9), r"p2.xml, line 5, box 2: has no area: 5, 5, 5, 9"),
    "swapped": (("cat", 9, 5, 5, 9), "box 2: has its corners swapped"),
    "outside": (("cat", 60, 5, 70, 9), "box 2: lies outside the picture of 60x40"),
    "reaches out": (("cat", 50, 5, 61, 9), "box 2: reaches out of the picture of 60x40"),
    "below 0": (("cat", -1, 5, 7, 9), "box 2: reaches out"),
    "no number": (("cat", "wide", 5, 7, 9), "box 2: xmin is 'wide', no number"),
    "not finite": (("cat", 1, 5, "nan", 9), "box 2: xmax is 'nan', no number"),
    "infinite": (("cat", 1, 5, "1e999", 9), "box 2: xmax is '1e999', no number"),
    "two labels": (("dog", 1, 2, 30, 20), "box 2: has the corners of box 1: two labels on one object"),
    "no class": (("", 1, 2, 9, 20), "box 2: has no class"),
    "no box": ("<object><name>cat</name></object>\n", "box 2: has no <xmin> in a <bndbox>"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_box_is_named_and_dropped_only_on_request(tmp_path, case):
    box, message = FAULTS[case]
    files.voc(tmp_path, [SOUND, SOUND, [SOUND[0], box, SOUND[1]], SOUND, SOUND])
    with pytest.raises(DataError, match=message) as e:
        fc.datasets.load(tmp_path)
    assert "got 1 with faults" in str(e.value)
    assert "drop_bad" in str(e.value)
    data = fc.datasets.load(tmp_path, drop_bad=True)
    assert data.train[2].boxes.tolist() == [[1, 2, 30, 20], [5.5, 0, 60, 40]]
    assert data.notes[0].startswith("1 box left out: Annotations/p2.xml, line 5, box 2")
    assert len(data.faults) == 1


def test_an_unknown_class_is_named(tmp_path):
    files.voc(tmp_path, [SOUND] * 5)
    with pytest.raises(DataError, match=r"box 2: has an unknown class 'dog'; known are cat, cow"):
        fc.datasets.load(tmp_path, classes=("cat", "cow"))
    assert fc.datasets.load(tmp_path, classes=("dog", "cat")).train[0].classes.tolist() == [1, 0]


def _truncated(root):
    from PIL import Image

    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)).save(root / "whole.jpg")
    (root / "JPEGImages" / "p2.png").write_bytes((root / "whole.jpg").read_bytes()[:600])
    (root / "whole.jpg").unlink()


BOMB = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY a "aaaaaa"><!ENTITY b "&a;&a;">]>\n<annotation>&b;</annotation>'
FILE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<annotation><filename>&a;</filename></annotation>'
WRITTEN = {
    "other size": (files.xml(SOUND, "p2.png", (41, 60)), "says that p2.png has 60x41 pixels, but it has 60x40"),
    "no picture": (files.xml(SOUND, "../JPEGImages/p2.png"), "names a picture outside the folder of the data set"),
    "absolute": (files.xml(SOUND, "/etc/passwd"), "names a picture outside the folder of the data set"),
    "a bomb": (BOMB, r"p2.xml: line 2: expected no entities, got a declaration of one"),
    "a file's entity": (FILE, r"line 1: expected no entities"),
    "cut off": (files.xml(SOUND)[:90], "expected whole XML, got a damaged one"),
    "deep": ("<a>" * 50, "expected at most 32 elements within one another"),
    "another root": ("<note/>", "expected an <annotation>, got a <note>"),
    "no size": (files.xml(SOUND, "p2.png", (40, "x")), "expected a size in whole pixels, got width 'x'"),
    "empty": ("", "expected whole XML"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_an_annotation_that_cannot_be_true_is_named_and_its_picture_dropped_on_request(tmp_path, case):
    text, message = WRITTEN[case]
    files.voc(tmp_path, [SOUND] * 6)
    (tmp_path / "Annotations" / "p2.xml").write_text(text)
    with pytest.raises(DataError, match=message):
        fc.datasets.load(tmp_path)
    data = fc.datasets.load(tmp_path, drop_bad=True)
    assert len(data.train) == 4
    assert data.notes[0].startswith("1 picture left out: Annotations/p2.xml")


def test_a_missing_a_truncated_and_a_strange_picture_are_named(tmp_path):
    files.voc(tmp_path, [SOUND] * 10)
    (tmp_path / "JPEGImages" / "p1.png").unlink()
    _truncated(tmp_path)
    (tmp_path / "JPEGImages" / "p3.png").write_text("no picture")
    (tmp_path / "JPEGImages" / "p5.png").unlink()
    (tmp_path / "JPEGImages" / "p5.png").symlink_to("/etc/hostname")
    faults = [str(fault) for fault in fc.datasets.load(tmp_path, drop_bad=True).faults]
    assert [fault.partition(":")[0].removeprefix("Annotations/") for fault in faults] == [
        "p1.xml", "p2.xml", "p3.xml", "p5.xml"]
    for fault, message in zip(faults, ("that is not there", "damaged or unsupported", "of another or an unknown kind",
                                       "outside the folder"), strict=True):
        assert message in fault


def test_an_annotation_finds_a_picture_that_was_renamed_with_it(tmp_path):
    files.voc(tmp_path, [SOUND] * 5)
    (tmp_path / "Annotations" / "p0.xml").write_text(files.xml(SOUND, "before.jpg"))
    assert fc.datasets.load(tmp_path).train.files[0] == "JPEGImages/p0.png"


def _record(rng, count=7):
    sizes = rng.integers(20, 90, (count, 2))
    each, classes = [], []
    for height, width in sizes:
        corners = np.sort(np.round(rng.uniform(0, 1, (rng.integers(0, 5), 2, 2)) * [width, height] * 64) / 64, axis=1)
        boxes = corners.reshape(-1, 4)
        boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
        each.append(np.vstack([boxes, [[0, 0, width, height]]]))
        classes.append(rng.integers(0, 3, len(each[-1])))
    images = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    offsets = np.append(0, np.cumsum([len(one) for one in each]))
    return fc.datasets.BoxedImages(images, np.vstack(each), offsets, np.concatenate(classes), ("a <&>", "b's", "c d"),
                                   tuple(f"i{k}.png" for k in range(count)), sizes)


@pytest.mark.parametrize("kind", ["voc", "coco", "yolo"])
def test_what_is_written_is_read_again_to_the_bit(tmp_path, kind):
    record = _record(np.random.default_rng(0))
    data = fc.datasets.AnnotatedDataset("x", "detection", record.take([0, 1, 2]), record.take([3, 4]), record.names, "",
                                        dev=record.take([5, 6]))
    fc.datasets.write_boxes(data, tmp_path / "out", kind)
    again = fc.datasets.load(tmp_path / "out", classes=record.names if kind == "voc" else None)
    for name, part in data.parts.items():
        _same(part, again.parts[name])
        for row in range(len(part)):
            np.testing.assert_array_equal(part[row].image, again.parts[name][row].image)
    with pytest.raises(DataError, match="expected a new or empty folder"):
        fc.datasets.write_boxes(data, tmp_path / "out", kind)


edges = st.floats(0, 1, width=32).filter(lambda x: x == 0 or x > 1e-3)


@settings(max_examples=150)
@given(st.tuples(edges, edges, edges, edges), st.integers(1, 4000), st.integers(1, 4000))
def test_every_box_comes_back_from_every_form(shares, height, width):
    x = np.sort(np.float32([shares[0] * width, shares[2] * width]))
    y = np.sort(np.float32([shares[1] * height, shares[3] * height]))
    box = np.minimum(np.float32([[x[0], y[0], x[1], y[1]]]), np.float32([width, height, width, height]))
    if not (box[0, 2:] > box[0, :2]).all():
        return
    size, kinds = (height, width), np.zeros(1, np.uint8)
    text = pascal_voc.written("a.png", size, 3, box, ["cat"], kinds)
    told = pascal_voc.parse(text.encode(), "a.xml")
    assert (told.size, told.picture, np.float32(told.boxes[0].values).tolist()) == (size, "a.png", box[0].tolist())
    text = coco.written([("a.png", size)], [[(*box[0].tolist(), 0, 0, math.nan)]], ["cat"])
    (told,), names = coco.parse(text.encode(), "a.json")
    assert (names, np.float32(told.boxes[0].values).tolist()) == (("cat",), box[0].tolist())
    from fastcnn.datasets.annotated.box_forms import settled, to_corners

    told = yolo.parse(yolo.written(size, box, np.zeros(1, np.int64)).encode(), "a.txt", "a.png")
    corners = to_corners(np.array([told.boxes[0].values]), np.array([size]), "shares of centres")
    assert settled(corners, size, "shares of centres").astype(np.float32).tolist() == box.tolist()


def _coco(root, change=lambda tree: tree, pictures=5):
    tree = {"images": [{"id": k, "file_name": f"p{k}.png", "height": 40, "width": 60} for k in range(pictures)],
            "annotations": [{"id": 10 + k, "image_id": k, "category_id": 7, "bbox": [1, 2, 20, 30.5]}
                            for k in range(pictures)],
            "categories": [{"id": 9, "name": "dog"}, {"id": 7, "name": "cat"}]}
    for k in range(pictures):
        files.picture(root / "images" / f"p{k}.png", seed=k)
    (root / "annotations").mkdir()
    (root / "annotations" / "instances.json").write_text(json.dumps(change(tree), indent=1))
    return root


def test_coco_is_read_with_crowds_and_areas(tmp_path):
    def change(tree):
        tree["annotations"][0] |= {"iscrowd": 1, "area": 77.5}
        tree["annotations"][1] |= {"ignore": 1}
        return tree

    _coco(tmp_path, change)
    data = fc.datasets.load(tmp_path)
    assert data.classes == ("cat", "dog")
    assert data.train.kinds.tolist() == [1, 2, 0, 0]
    assert data.train.areas[0] == 77.5
    assert data.train[0].boxes.tolist() == [[1, 2, 21, 32.5]]
    _same(fc.datasets.load(tmp_path / "annotations" / "instances.json").train, data.train)
    fc.datasets.write_boxes(data, tmp_path / "again", "coco")
    again = fc.datasets.load(tmp_path / "again")
    _same(data.train, again.train)
    assert again.train.areas[0] == 77.5
    for kind in ("voc", "yolo"):
        with pytest.raises(DataError, match=f"expected boxes that {kind} can tell, got"):
            fc.datasets.write_boxes(data, tmp_path / kind, kind)


def _with(path, value):
    def change(tree):
        place = tree
        for key in path[:-1]:
            place = place[key]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        return tree
    return change


COCOS = {
    "category": (("annotations", 2, "category_id"), 8, r"instances.json, line \d+, box 1: annotation 3 \(id 12\) has a "
                                                       r"category_id that is none of the categories: 8"),
    "bbox": (("annotations", 2, "bbox"), [1, 2, "x", 4], r"box 1: annotation 3 \(id 12\) has a bbox that is not four"),
    "no bbox": (("annotations", 2, "bbox"), None, "has a bbox that is not four numbers: None"),
    "negative": (("annotations", 2, "bbox"), [10, 2, -5, 4], "has its corners swapped: 10, 2, 5, 6"),
    "image": (("annotations", 2, "image_id"), 99, "an annotation of an image that is not in the list"),
    "no name": (("images", 2, "file_name"), None, "image 3 has no id or file_name of its own"),
    "twice": (("images", 2, "id"), 1, "image 3 has no id or file_name of its own"),
    "size": (("images", 2, "height"), 39, "says that p2.png has 60x39 pixels, but it has 60x40"),
    "huge": (("annotations", 2, "bbox"), [1, 2, 10**400, 4], "has a bbox that is not four numbers"),
}


@pytest.mark.parametrize("case", COCOS)
def test_what_is_wrong_in_coco_s_file_is_named_with_its_line(tmp_path, case):
    path, value, message = COCOS[case]
    _coco(tmp_path, _with(path, value))
    with pytest.raises(DataError, match=message):
        fc.datasets.load(tmp_path)
    text = (tmp_path / "annotations" / "instances.json").read_text().splitlines()
    for fault in fc.datasets.load(tmp_path, drop_bad=True).faults:
        assert text[fault.line - 1].strip() == "{", fault


@pytest.mark.parametrize(("text", "message"), [
    ("[]", "expected COCO's object with images, annotations and categories, got list"),
    ("{}", "expected COCO's lists images, annotations and categories, got no images"),
    ('{"images": [], "annotations": 3, "categories": []}', "got something else as annotations"),
    ("[" * 100_000, "expected"),
    ("{", "expected whole JSON, got a damaged one"),
    ('{"images": [], "annotations": [], "categories": [{"id": 1}]}', "category 1: expected an id and a name"),
])
def test_a_json_that_is_none_of_coco_s_is_one_line(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=message) as e:
        fc.datasets.load(tmp_path / "a.json")
    assert "\n" not in str(e.value)


def _yolo(root, lines, names="names: [cat, dog]\n", pictures=5):
    (root / "labels").mkdir(parents=True)
    for k in range(pictures):
        files.picture(root / "images" / f"p{k}.png", seed=k)
        if k != 1:
            (root / "labels" / f"p{k}.txt").write_text("\n".join(lines) + "\n")
    if names is not None:
        (root / "data.yaml").write_text(names)
    return root


def test_yolo_s_text_is_read_and_a_picture_without_a_file_is_background(tmp_path):
    _yolo(tmp_path, ["0 0.5 0.5 1 1", "", "1 0.25 0.25 0.5 0.5"])
    data = fc.datasets.load(tmp_path)
    assert data.train[0].boxes.tolist() == [[0, 0, 60, 40], [0, 0, 30, 20]]
    assert data.train.offsets.tolist() == [0, 2, 2, 4, 6]


@pytest.mark.parametrize(("line", "message"), [
    ("2 0.5 0.5 0.1 0.1", r"labels/p0.txt, line 2, box 2: has class 2, but there are 2, from 0 to 1"),
    ("-1 0.5 0.5 0.1 0.1", "line 2, box 2: has a class that is no whole number from 0: '-1'"),
    ("0 0.5 0.5 0.1", "expected a class and four numbers, got 4 words"),
    ("0 0.1 0.1 0.2 0.2 0.3 0.3", "got 7 words; outlines of more numbers are not read"),
    ("0 0.5 0.5 x 0.1", "is not four numbers"),
    ("0 0.5 0.5 0.1 0", "has no area"),
    ("0 0.5 0.5 0.1 -0.2", "has its corners swapped"),
    ("0 0.95 0.5 0.2 0.2", "reaches out of the picture"),
])
def test_a_faulty_line_of_yolo_s_is_named(tmp_path, line, message):
    _yolo(tmp_path, ["0 0.5 0.5 1 1", line])
    with pytest.raises(DataError, match=message):
        fc.datasets.load(tmp_path)


@pytest.mark.parametrize("names", ["names: [cat, 'dog']", "names:\n- cat\n- dog # big",
                                   "names:\n  0: cat\n  1: \"dog\"\n",
                                   "path: x\nnc: 2\nnames: ['cat',\n  dog]", "names: {0: cat, 1: dog}"])
def test_names_of_classes_are_read_in_each_way_they_are_written(names):
    assert yolo.names_in(names, "data.yaml") == ("cat", "dog")
    assert yolo.names_in("cat\n\ndog\n", "classes.txt") == ("cat", "dog")


def test_without_names_or_with_wrong_ones_yolo_s_folder_is_refused(tmp_path):
    _yolo(tmp_path / "a", ["0 0.5 0.5 1 1"], None)
    with pytest.raises(DataError, match=r"expected the names of the classes in data.yaml or classes.txt, got neither"):
        fc.datasets.load(tmp_path / "a")
    _yolo(tmp_path / "b", ["0 0.5 0.5 1 1"], "names:\n  0: cat\n  2: dog\n")
    with pytest.raises(DataError, match="expected names of the classes numbered from 0"):
        fc.datasets.load(tmp_path / "b")


@pytest.mark.parametrize(("lines", "message"), [
    (["0 10 10 30 20", "1 5 5 20 39"], r"got values above 1: are these corners x1, y1, x2, y2 in pixels\?"),
    (["0 45 30 20 15", "1 50 10 15 12"], r"got values above 1: are these centre, width and height in pixels\?"),
    (["0 0.7 0.8 0.9 0.95", "1 0.6 0.5 0.99 0.9"], "got all values below 1: are these corners as shares"),
])
def test_another_form_of_the_numbers_is_guessed_and_said(tmp_path, lines, message):
    _yolo(tmp_path, lines)
    with pytest.raises(DataError, match=message):
        fc.datasets.load(tmp_path, drop_bad=True)
    form = "corners" if "corners x1" in message else "centres" if "centre" in message else "shares of corners"
    assert len(fc.datasets.load(tmp_path, box_form=form).train.boxes) == 6


def test_shares_in_pascal_voc_s_files_are_guessed(tmp_path):
    files.voc(tmp_path, [[("cat", 0.1, 0.2, 0.5, 0.6)]] * 5)
    with pytest.raises(DataError, match="got all values below 1: are these shares"):
        fc.datasets.load(tmp_path)
    data = fc.datasets.load(tmp_path, box_form="shares of corners")
    np.testing.assert_allclose(data.train[0].boxes, [[6, 8, 30, 24]], rtol=1e-6)


@pytest.mark.parametrize(("call", "message"), [
    (lambda p: fc.datasets.load(p, task="boxes"), "task: 'boxes' is not known"),
    (lambda p: fc.datasets.load(p, box_form="xywh"), "box_form: 'xywh' is not known"),
    (lambda p: fc.datasets.load(p, image_size=(4, 4)), "expected image_size with a folder of pictures alone"),
    (lambda p: fc.datasets.load(p, "somewhere"), "expected data_dir only with a name"),
    (lambda p: fc.datasets.load("digits", drop_bad=True), "expected drop_bad, classes and box_form with boxes"),
    (lambda p: fc.datasets.load("bccd", task="segmentation"), "a set for detection, got another task"),
    (lambda p: fc.datasets.write_boxes(fc.datasets.load(p), p / "x", "csv"), "kind: 'csv' is not known"),
])
def test_wrong_arguments_are_said(tmp_path, call, message):
    files.voc(tmp_path, [SOUND] * 5)
    with pytest.raises(ArgumentError, match=message):
        call(tmp_path)


def test_who_wants_classes_is_told_that_a_set_has_boxes():
    with pytest.raises(ArgumentError, match="bccd: expected a data set of pictures with classes, got one with boxes"):
        fc.datasets.read("bccd", None, fc.datasets.Pictures())


def test_a_published_set_that_is_not_there_says_where_it_comes_from(tmp_path):
    with pytest.raises(DataError, match=r"bccd: expected its folder, got none: name it .* it is not downloaded"):
        fc.datasets.load("bccd")
    with pytest.raises(DataError, match="bccd: expected Annotations, JPEGImages, ImageSets in"):
        fc.datasets.load("bccd", tmp_path)


def test_the_blood_cells_have_two_boxes_without_area(data):
    found = fc.datasets.load("bccd", data)
    assert [len(found.parts[name].boxes) for name in ("train", "dev", "test")] == [2804, 1137, 945]
    assert [(fault.file[-9:-4], fault.line, fault.box) for fault in found.faults] == [("00343", 50, 4),
                                                                                     ("00338", 158, 13)]
    assert found.test.counts() == {"RBC": 805, "WBC": 71, "Platelets": 69}
    assert (found.train.sizes == [480, 640]).all()
    with pytest.raises(DataError, match=r"BloodImage_00343.xml, line 50, box 4: has no area"):
        fc.datasets.load("bccd", data, drop_bad=False)


def test_a_picture_that_changed_since_is_told(tmp_path):
    files.voc(tmp_path, [SOUND] * 5)
    data = fc.datasets.load(tmp_path)
    files.picture(tmp_path / "JPEGImages" / "p0.png", (9, 9))
    with pytest.raises(DataError, match="expected the picture that was there when the data set was loaded"):
        data.train[0]


def test_a_record_refuses_what_does_not_fit_together():
    make = lambda **other: fc.datasets.BoxedImages(**{
        "images": [np.zeros((9, 9, 3), np.uint8)], "boxes": [[0, 0, 5, 5]], "offsets": [0, 1], "classes": [0],
        "names": ("a",), "files": ("f",), "sizes": [[9, 9]], **other})
    assert len(make()) == 1
    for other, message in (({"boxes": [[0, 0, 0, 5]]}, "with an area"), ({"offsets": [0, 2]}, "offsets that rise"),
                           ({"classes": [1]}, "classes from 0 to 0"), ({"files": ("f", "g")}, "offsets of shape"),
                           ({"boxes": [[0, 0, math.nan, 5]]}, "finite boxes"), ({"classes": ["x"]}, "expected classes"),
                           ({"images": []}, "a file name for each image")):
        with pytest.raises(DataError, match=message):
            make(**other)


def test_no_boxes_at_all_are_a_record_too():
    record = fc.datasets.BoxedImages([np.zeros((9, 9, 3), np.uint8)] * 2, [], [0, 0, 0], [], ("a",), ("f", "g"),
                                     [[9, 9], [9, 9]])
    assert record.boxes.shape == (0, 4)
    assert record.targets()[:].tolist() == [[[-1.0] * 6]] * 2


def test_pictures_of_several_sizes_are_letterboxed_with_their_boxes_and_back(tmp_path):
    files.voc(tmp_path, [[("cat", 0, 0, 60, 40)], SOUND, [], SOUND, SOUND], [(40, 60), (80, 80), (30, 60), (90, 70),
                                                                             (40, 60)])
    train = fc.datasets.load(tmp_path, drop_bad=True).train
    done = train.letterboxed((32, 48), fill=7)
    assert done.images.shape == (4, 32, 48, 3)
    assert done.targets.kind == "boxes"
    assert done.targets[0][0, :4].tolist() == [0, 0, 48, 32]
    assert (done.images[1, :, :8] == 7).all()
    assert (done.images[1, :, 40:] == 7).all()
    assert not (done.images[1, :, 8:40] == 7).all(axis=(0, 2)).any()
    np.testing.assert_array_equal(done.targets[1][:, 4:], [[0, 0], [1, 0]])
    for row, box in enumerate(done.letterboxes):
        back = box.invert(done.targets[row][:, :4])
        np.testing.assert_allclose(back, train[row].boxes, atol=2e-5)  # float32 between
    small = train.take([0]).letterboxed((100, 100), enlarge=False)
    np.testing.assert_array_equal(small.images[0, 30:70, 20:80], train[0].image)
    assert small.targets[0][0, :4].tolist() == [20, 30, 80, 70]
