"""What was found in pictures: errors of boxes and masks counted by hand, and pictures that show both."""

import numpy as np
import pytest
from sklearn import metrics

from fastcnn import report
from fastcnn.errors import ArgumentError


def test_a_box_is_right_once_and_of_its_class_alone():
    there, classes = np.array([[0, 0, 10, 10], [20, 20, 40, 40], [60, 0, 70, 10]]), [0, 0, 1]
    assert report.box_error(there, classes, there, classes) == 0
    assert report.box_error(there, classes, there[[0, 0, 0]], [0, 0, 0]) == pytest.approx(1 - 2 / 6)
    assert report.box_error(there, classes, there, [1, 1, 0]) == 1
    assert report.box_error(there, classes, there + np.array([0, 0, 30, 0]), classes) == 1  # an IoU below 1/2
    assert report.box_error([], [], [], []) == 0
    assert report.box_error(there, classes, [], []) == report.box_error([], [], there, classes) == 1


def test_the_surest_box_takes_what_is_there_first():
    there = np.array([[0, 0, 10, 10], [0, 0, 10, 12]])
    found = np.array([[0, 0, 10, 12], [0, 0, 10, 13]])
    assert report.box_error(there, [0, 0], found, [0, 0]) == 0
    with pytest.raises(ArgumentError, match="a class for each box"):
        report.box_error(there, [0], found, [0, 0])


def test_average_precision_looks_at_the_order_of_all_boxes():
    there, classes = np.array([[0, 0, 10, 10], [20, 20, 40, 40]]), [0, 0]
    wrong = np.array([[60, 60, 70, 70]])
    every = np.concatenate([there, wrong])
    error = lambda scores, **more: report.average_precision_error(there, classes, every, [0, 0, 0], scores, **more)
    assert error([0.9, 0.8, 0.7]) == 0  # what is wrong comes last
    assert error([0.9, 0.7, 0.8]) == pytest.approx(1 - (51 + 50 * 2 / 3) / 101)  # the second of three is wrong
    assert error([0.7, 0.6, 0.8]) == pytest.approx(1 - 2 / 3)  # precision 1/2, then 2/3, which counts for all recalls
    assert report.box_error(there, classes, every, [0, 0, 0]) == pytest.approx(1 - 4 / 5)  # F1 sees no order
    assert report.average_precision_error(there, classes, there[[0, 0]], [0, 0], [0.9, 0.8]) == pytest.approx(
        1 - 51 / 101)  # a box is right once


def test_a_class_that_is_told_and_not_there_counts_and_one_that_is_not_told_does_not():
    there = np.array([[0, 0, 10, 10]])
    told = {"boxes": there, "classes": [0], "found_boxes": there[[0, 0]], "found_classes": [0, 1]}
    assert report.average_precision_error(**told, scores=[0.9, 0.4], told_from=0.5) == 0
    assert report.average_precision_error(**told, scores=[0.9, 0.6], told_from=0.5) == 0.5
    assert report.average_precision_error([], [], [], [], []) == 0
    assert report.average_precision_error([], [], there, [0], [0.9]) == 1
    assert report.average_precision_error(there, [0], [], [], []) == 1
    with pytest.raises(ArgumentError, match="a score for each"):
        report.average_precision_error(there, [0], there, [0], [])


def test_the_nearest_other_picture_is_that_of_a_naive_search_and_the_surest_mistake_comes_first():
    draw = np.random.default_rng(0)
    embeddings, labels = draw.standard_normal((40, 3)), draw.integers(0, 6, 40)
    labels[0] = 9  # alone: nobody can find another of it
    found = report.nearest_pictures(embeddings, labels)
    assert set(found.pictures.tolist()) == set(range(1, 40))
    distances = ((embeddings[:, None] - embeddings) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    for k, other, is_wrong, margin in zip(*found, strict=True):
        assert other == distances[k].argmin()
        assert is_wrong == (labels[other] != labels[k])
        same = labels == labels[k]
        assert margin == pytest.approx(distances[k][same].min() - distances[k][~same].min())
    assert (np.diff(found.margins) <= 0).all()
    assert found.is_wrong.tolist() == (found.margins > 0).tolist()
    with pytest.raises(ArgumentError, match="labels of two or more"):
        report.nearest_pictures(embeddings, np.zeros(40))


def test_dice_is_the_mean_f1_of_classes_without_background_and_the_unknown():
    draw = np.random.default_rng(0)
    mask, found = draw.integers(-1, 4, (20, 20)), draw.integers(0, 4, (20, 20))
    known = mask >= 0
    told = metrics.f1_score(mask[known], found[known], labels=[1, 2, 3], average="macro")
    assert report.dice_error(mask, found) == pytest.approx(1 - told)
    assert report.dice_error(np.zeros((2, 2), int), np.zeros((2, 2), int)) == 0
    with pytest.raises(ArgumentError, match="two masks"):
        report.dice_error(mask, found[1:])


def test_drawings_show_what_is_there_and_what_was_found():
    picture = np.zeros((40, 60, 1), np.uint8)
    drawn = report.draw_boxes(picture, [[5, 5, 30, 30]], [[20, 2, 58, 38.6], [-5, -5, 90, 90]])
    assert drawn.shape == (40, 60, 3)
    assert drawn[6, 15].tolist() == [86, 180, 233]
    assert drawn[20, 57].tolist() == [230, 159, 0]
    assert (picture == 0).all()
    mask = np.zeros((40, 60), int)
    mask[:10], mask[30:] = 1, -1
    found = np.zeros_like(mask)
    found[5:15] = 1
    shown = report.draw_masks(picture, mask, found)
    blue, white, orange, nothing, unknown = (shown[row, 0].tolist() for row in (0, 7, 12, 20, 35))
    assert blue[2] > blue[0] > 0
    assert orange[0] > orange[2]
    assert len(set(white)) == 1
    assert white[0] > 0
    assert nothing == unknown == [0, 0, 0]


def test_large_pictures_are_drawn_small():
    assert max(report.draw_boxes(np.zeros((900, 700, 3), np.uint8), [[1, 1, 600, 800]], []).shape) <= 320
