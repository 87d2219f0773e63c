"""The page: whole, safe, small, and what each kind of run makes of it."""

import base64
import html.parser
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, report
from fastcnn.errors import ArgumentError
from fastcnn.report import page
from fastcnn.report.inline_pictures import data_uri, png, reduced

pytest.importorskip("jinja2", reason="needs the extra fastcnn[report]")
EVIL = "<script>alert(1)</script>"


class Reader(html.parser.HTMLParser):
    """Reads a page: its tags with their attributes, and that each is closed."""

    EMPTY = ("meta", "link", "img", "input", "br")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.scripts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def answered(n=60, classes=3, seed=0, shape=(8, 8, 1), names=None, groups=None):
    draw = np.random.default_rng(seed)
    y = draw.integers(0, classes, n)
    p = draw.dirichlet(np.ones(classes), n) * 0.4 + 0.6 * np.eye(classes)[np.where(draw.random(n) < 0.7, y, 0)]
    return report.Answered(draw.random((n, *shape)), y, p, names or [f"{k}.png" for k in range(n)], groups)


def network(shape=(8, 8, 1), classes=3):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input(shape), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(),
                           layers.Dense(classes, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def whole(**more):
    parts = {name: answered(seed=k, groups=[f"g{i % 3}" for i in range(60)]) for k, name in
             enumerate(("train", "train_dev", "dev", "test"))}
    given = {"name": "a run", "task": "classification", "classes": ("ant", "bee", "cat"), "parts": parts,
             "history": [{"epoch": k, "loss": 1 / k, "val_loss": 1.1 / k} for k in range(1, 5)], "human_error": 0.01,
             "facts": {"data": "insects"}, "notes": ("a note on --dev",)}
    return report.Evidence(**given | more)


def test_a_page_has_every_section_and_asks_nobody_for_anything():
    model = network()
    text = report.render(whole(model=model, trainable=report.AsTrained(model, lambda y: y, 16)))
    read = Reader(text)
    ids = {attrs["id"] for tag, attrs in read.tags if tag == "section"}
    assert ids == {"gaps", "curves", "classes", "calibration", "mistakes", "tagging", "labels", "differences", "health",
                   "sight", "costs"}
    links = {attrs["href"] for tag, attrs in read.tags if tag == "a"}
    assert links == {f"#{name}" for name in (*ids, "main")}
    for _, attrs in read.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs)
        for name in ("src", "href"):
            assert attrs.get(name, "#").startswith(("#", "data:"))
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert len(text.encode()) < 5_000_000


def test_the_policy_allows_the_style_and_the_script_of_the_page_alone():
    text = report.render(whole())
    read = Reader(text)
    policy = next(attrs["content"] for tag, attrs in read.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    assert policy == (f"default-src 'none'; style-src '{page.digest(style)}'; script-src "
                      f"'{page.digest(''.join(read.scripts))}'; img-src data:; base-uri 'none'; form-action 'none'")
    assert sum(tag == "script" for tag, _ in read.tags) == 1


def test_names_that_are_markup_do_nothing():
    quotes = "\"'><img src=x onerror=alert(2)>"
    parts = {name: answered(seed=k, names=[f"{quotes}{k}{i}" for i in range(60)], groups=[EVIL, quotes] * 30)
             for k, name in enumerate(("train", "dev"))}
    tags = report.Tags([EVIL], {f"{quotes}10": [EVIL, quotes]})
    text = report.render(whole(parts=parts, classes=(EVIL, quotes, "x"), name=EVIL, facts={EVIL: quotes},
                               notes=(EVIL,), tags=tags, history=[{"epoch": 1, EVIL: 1.0, "loss": 1.0}]))
    read = Reader(text)
    assert sum(tag == "script" for tag, _ in read.tags) == 1
    assert not any(attrs.get("src") == "x" or "onerror" in attrs for _, attrs in read.tags)
    assert next(attrs for _, attrs in read.tags if attrs.get("id") == "tagging")["data-run"] == EVIL


def test_a_run_without_dev_is_looked_at_in_training_and_has_nothing_to_tag():
    read = Reader(report.render(whole(parts={"train": answered()})))
    ids = {attrs["id"] for tag, attrs in read.tags if tag == "section"}
    assert ids == {"gaps", "curves", "classes", "calibration", "mistakes"}


def test_a_run_that_has_no_answers_yet_has_its_curves():
    read = Reader(report.render(whole(parts={}, classes=())))
    assert [attrs["id"] for tag, attrs in read.tags if tag == "section"] == ["curves"]
    Reader(report.render(whole(parts={}, classes=(), history=())))


def test_a_network_without_a_mistake_is_told_so():
    good = answered()._replace(outputs=np.eye(3)[answered().y])
    text = report.render(whole(parts={"train": good, "dev": good}))
    assert "There is no mistake in dev" in text
    assert 'id="tagging"' not in text


def test_statistics_that_lag_behind_the_weights_are_told():
    told = "batch normalization lag behind"
    history = [{"epoch": 1, "loss": 1.0, "accuracy": 0.99}]
    wrong = answered()._replace(outputs=np.eye(3)[(answered().y + 1) % 3])
    assert told in report.render(whole(parts={"train": wrong}, history=history))
    history[0]["accuracy"] = 0.05
    assert told not in report.render(whole(parts={"train": wrong}, history=history))


def test_numbers_to_learn_have_errors_in_their_unit_and_charts():
    draw = np.random.default_rng(0)
    y = draw.random((50, 2)) * [1, 1000]
    told = y + draw.standard_normal(y.shape) * [0.1, 100]
    part = report.Answered(draw.random((50, 3)), y, told, list(map(str, range(50))))
    text = report.render(whole(task="regression", classes=("age", "rent"), parts={"train": part, "dev": part},
                               features=("a", "b", "c"), human_error=None))
    ids = {attrs["id"] for tag, attrs in Reader(text).tags if tag == "section"}
    assert ids == {"gaps", "curves", "numbers", "mistakes", "differences"}
    assert "rent: told against true" in text
    assert "standard deviations" in text


def test_several_labels_have_scores_of_each_and_mistakes_to_tag():
    draw = np.random.default_rng(0)
    y = draw.integers(-1, 2, (80, 3)).astype("float32")
    part = report.Answered(draw.random((80, 8, 8, 3)), y, draw.random((80, 3)), list(map(str, range(80))))
    text = report.render(whole(task="multilabel", classes=("sea", "sky", "sun"), parts={"train": part, "dev": part}))
    ids = {attrs["id"] for tag, attrs in Reader(text).tags if tag == "section"}
    assert ids == {"gaps", "curves", "classes", "calibration", "mistakes", "tagging", "differences"}


def test_a_detector_s_worst_pictures_are_shown_with_its_figures():
    part = report.FoundPart(np.array([0.0, 0.5, 1.0]), ["good.png", "half.png", EVIL],
                            lambda k: np.full((40, 50, 3), 80 * k, np.uint8))
    text = report.render(whole(task="detection", parts={}, seen={"train": part, "dev": part},
                               class_figures={"AP@0.5": {"ant": 0.5, "bee": float("nan")}}))
    read = Reader(text)
    assert {attrs["id"] for tag, attrs in read.tags if tag == "section"} == {"gaps", "curves", "found"}
    assert sum(tag == "img" for tag, _ in read.tags) == 2  # what is all right is not shown
    assert "good.png" not in text
    assert sum(tag == "script" for tag, _ in read.tags) == 1


def test_a_page_of_many_large_pictures_stays_below_five_megabytes(monkeypatch):
    part = answered(n=150, shape=(96, 96, 3))
    monkeypatch.setattr(page, "_MOST_BYTES", 400_000)
    large = report.render(whole(parts={"train": part, "dev": part}))
    assert len(large.encode()) < 400_000


def test_what_does_not_fit_together_is_told():
    with pytest.raises(ArgumentError, match="as many of x, y, outputs and names in dev"):
        whole(parts={"dev": answered()._replace(names=["a"])})
    with pytest.raises(ArgumentError, match="task: 'diction' is not known; did you mean 'detection'"):
        whole(task="diction")
    with pytest.raises(ArgumentError, match="human error from 0"):
        whole(human_error=-1.0)


def test_charts_are_xml_with_text_as_text_and_nothing_that_a_policy_forbids():
    p = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    y = p.argmax(axis=1)
    for drawing in (report.draw_gaps(report.gaps({"train": y > 1, "dev": y > 0})),
                    report.draw_curve(report.Curve("<loss>", (1, 2, 3), (1.0, np.nan, 0.5), (2.0, 1.0, 1.0))),
                    report.draw_curve(report.curves([{"epoch": k, "loss": 1.0} for k in range(40)]).curves[0]),
                    report.draw_reliability(report.calibration(p, y)), report.draw_scatter(p[:, 0], p[:, 1], "a & b"),
                    report.draw_histogram(p[:, 0], "a", p[:, 1]), report.draw_histogram(np.full(3, np.nan), "a"),
                    report.draw_estimate(report.estimate(np.zeros(0, bool))), report.draw_bars(["a" * 40], [0.0], "t")):
        tree = ElementTree.fromstring(drawing.markup)
        assert tree.get("role") == "img"
        assert "style" not in drawing.markup.replace("<style>", "")
        assert not re.search(r'="[^"]*(nan|inf)', drawing.markup)
        ElementTree.fromstring(drawing.svg)


def test_pictures_come_back_from_png_and_are_reduced_by_whole_pixels(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")
    draw = np.random.default_rng(0)
    for channels in (1, 3):
        pixels = draw.integers(0, 256, (5, 7, channels), dtype=np.uint8)
        found = np.asarray(image.open(io.BytesIO(png(pixels))))
        np.testing.assert_array_equal(found.reshape(pixels.shape), pixels)
    assert reduced(np.full((100, 31, 3), 7, np.uint8), 40).shape == (33, 10, 3)
    assert reduced(np.full((100, 1, 1), 7, np.uint8), 40).shape[0] <= 40
    kind, data = data_uri(draw.integers(0, 256, (300, 200, 3), dtype=np.uint8)).split(",")
    assert kind == "data:image/jpeg;base64"
    assert max(image.open(io.BytesIO(base64.b64decode(data))).size) <= 96
