"""``fastcnn serve``: what of runs it puts on a page."""

import http.client
import json
import signal
import subprocess

import numpy as np
import pytest

from fastcnn.cli import main
from tests.cli.conftest import command, environment, only_line

pytest.importorskip("starlette", reason="needs the extra fastcnn[serve]")
pytest.importorskip("uvicorn", reason="needs the extra fastcnn[serve]")
pytest.importorskip("PIL", reason="needs the extra fastcnn[image]")


def test_a_run_is_served_until_ctrl_c_as_predict_answers(run, tmp_path, capsys):
    from PIL import Image

    draw = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    Image.fromarray(draw).save(tmp_path / "x.png")
    assert main(["predict", str(run), str(tmp_path / "x.png"), "--json", "--top", "10"]) == 0
    expected = json.loads(capsys.readouterr().out)[0]
    process = subprocess.Popen(command("serve", run, "--port", 0), env=environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith("run on http://127.0.0.1:")
        connection = http.client.HTTPConnection("127.0.0.1", int(line.split(":")[2].split()[0]), timeout=60)
        connection.request("POST", "/api/predict", (tmp_path / "x.png").read_bytes(), {"Content-Type": "image/png"})
        found = json.loads(connection.getresponse().read())
        connection.request("GET", "/api/model")
        model = json.loads(connection.getresponse().read())
        connection.close()
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert found["predictions"] == expected["predictions"]
    assert found["steps"] == expected["steps"]
    assert (model["name"], model["task"], model["input"]["height"]) == ("run", "classification", 8)
    assert (process.returncode, out, err) == (0, "", "")


def test_what_has_no_pictures_is_refused_before_anything_is_listened_at(tmp_path, capsys, monkeypatch):
    import fastcnn as fc
    from fastcnn import layers
    from fastcnn.vision import identity

    monkeypatch.chdir(tmp_path)
    fc.Sequential([fc.Input((4,)), layers.Dense(2)]).save("table.safetensors")
    assert main(["serve", "table.safetensors"]) == 2
    assert "expected a network of pictures, grey or RGB" in only_line(capsys.readouterr().err)
    network = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)])
    identity.Recognizer(network, 0.5).save("faces.safetensors")
    assert main(["serve", "faces.safetensors"]) == 2
    assert "`fastcnn identify` has a gallery" in only_line(capsys.readouterr().err)


def test_a_detector_answers_with_boxes_and_a_segmenter_with_pixels(tmp_path):
    import fastcnn as fc
    from fastcnn.cli._pixels import Pixels
    from fastcnn.cli._serving import answering_of
    from fastcnn.serving.answering import Question
    from fastcnn.serving.limits import Limits
    from tests.serving.attacks import picture

    cells = fc.vision.detection.YoloCells((64, 64), [[16, 16]])
    model = fc.vision.detection.yolo(cells, classes=1, filters=4)
    fc.vision.detection.Detector(model, cells, ("cat",), score_threshold=0.0).save(tmp_path / "cats.safetensors")
    body = picture(np.random.default_rng(0))
    found = answering_of(str(tmp_path / "cats.safetensors"), Pixels(), print)
    answer = found.answer(Question(body, with_maps=True), Limits())
    assert {tuple(one) for one in answer["boxes"]} <= {("class", "score", "box")}
    assert answer["drawn"].startswith("data:image/")
    assert found.facts["outputs"] == ["cat"]
    network = fc.vision.segmentation.unet(2, filters=4, depth=1)
    fc.vision.segmentation.Segmenter(network, ("cell",)).save(tmp_path / "cells.safetensors")
    found = answering_of(str(tmp_path / "cells.safetensors"), Pixels(), print)
    answer = found.answer(Question(body, with_maps=True), Limits())
    assert 0 <= answer["share"] <= 1
    assert answer["drawn"].startswith("data:image/")
