"""``train --config FILE``: what a file may say, what is refused and in which line, and that a run's file replays it."""

import json
import re
import tomllib

import pytest

from fastcnn.cli import COMMANDS, _config, main
from fastcnn.cli._config_file import line_of
from fastcnn.cli._network_file import NetworkFile
from fastcnn.formats import toml_text
from tests.cli.conftest import ROOT, only_line

NETWORK = """\
# digits, in a small network
dataset = "digits"
epochs = 1
batch-size = 64
optimizer = "SGD(momentum=0.9, nesterov=True)"
lr = 5e-2
seed = 3
model = [
    "Conv2D(8, 3, activation='relu', kernel_initializer=HeNormal(), kernel_regularizer=L2(2 * 1e-4))",
    "BatchNormalization(momentum=0.9)",
    "MaxPooling2D",
    "Flatten()",
    "Dense(classes, activation='softmax')",
]
"""


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Run ``fastcnn train ARGS`` on a file of this text, in this process; return code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(text, *args):
        (tmp_path / "plan.toml").write_text(text)
        code = main(["train", "--config", "plan.toml", *args])
        return code, *capsys.readouterr()

    return run


def test_a_run_s_own_file_trains_the_same_again_to_its_bits(told, tmp_path, capsys):
    code, output, errors = told(NETWORK, "--out", "first")
    assert (code, errors) == (0, "")
    assert "model  sequential: " in output
    assert main(["train", "--config", "first/config.toml", "--out", "second"]) == 0
    for name in ("model.safetensors", "split.csv", "config.toml"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
    capsys.readouterr()
    assert main(["train", "--config", "first/config.toml", "--print-config"]) == 0
    assert capsys.readouterr().out == (tmp_path / "first" / "config.toml").read_text()
    assert main(["train", "--config", "plan.toml", "--out", "first", "--resume", "auto"]) == 0
    assert "run first is complete" in capsys.readouterr().out  # the file says what the run was begun with


def test_flags_go_before_the_file_and_the_file_before_what_suits(told, tmp_path):
    code, output, _ = told("epochs = 7\nlr = 1e-3\n", "--epochs", "5", "--print-config")
    assert code == 0
    said = tomllib.loads(output)
    assert (said["epochs"], said["lr"], said["batch-size"], said["model"]) == (5, 1e-3, 32, "lenet")
    assert isinstance(said["seed"], int)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.toml"]  # nothing is left
    code, output, _ = told("epochs = 7\ndev = 0.3\n", "--steps", "50", "--folds", "3", "--print-config")
    assert code == 0
    said = tomllib.loads(output)
    assert (said["steps"], said["folds"]) == (50, 3)
    assert not {"epochs", "dev"} & set(said)
    code, _, errors = told("epochs = 7\nsteps = 50\n", "--print-config")
    assert code == 2
    assert "--steps and --epochs exclude one another" in only_line(errors)


@pytest.mark.parametrize(("line", "expected"), [
    ("epoch = 3", "key: 'epoch' is not known; did you mean 'epochs'?"),
    ("batch_size = 3", "key: 'batch_size' is not known; did you mean 'batch-size'?"),
    ("config = 'x'", "key: 'config' is not known"),
    ("epochs = '3'", "epochs: expected an integer, got the text '3'"),
    ("epochs = true", "epochs: expected an integer, got true"),
    ("epochs = 0", "epochs: 0 is not in the range x>=1"),
    ("lr = 'fast'", "lr: expected a number, got the text 'fast'"),
    ("lr = nan", "lr: expected a finite number above 0, got nan"),
    ("dev = 1.5", "dev: expected a number from 0 to below 1, got 1.5"),
    ("fit = 'zoom'", "fit: 'zoom' is not one of 'crop', 'pad', 'stretch'"),
    ("skip-damaged = 1", "skip-damaged: expected true or false, got 1"),
    ("optimizer = 'adem'", "optimizer: 'adem' is not known; did you mean 'adam' or"),
    ("optimizer = 'Adem()'", "optimizer: 'Adem' is not known; did you mean 'Adam'"),
    ("optimizer = 'SGD(momentum=2)'", "optimizer 'SGD(momentum=2)': SGD: expected 0 <= momentum <= 1, got 2"),
    ("optimizer = 'SGD(learning_rate=2)'", "expected no learning_rate, which has a flag of its own"),
    ("[model]", "model: expected a text, or a list of layers, got a table"),
    ("model = []", "model: expected a list of calls such as ['ResNet18()'], got an empty one"),
    ("model = [3]", "expected a list of texts, each a call such as ResNet18(), got 3 in it"),
    ("model = ['Conv2D(8']", "model: expected a call such as ResNet18(), got 'Conv2D(8'"),
    ("model = ['open(\"x\").read()']", "expected a call such as ResNet18()"),
    ("model = ['Conv2(8)']", "layer: 'Conv2' is not known; did you mean 'Conv2D'"),
    ("model = ['Conv2D(8, 3, filter=1)']", "argument: 'filter' is not known; did you mean 'filters'?"),
    ("model = ['Conv2D(8)']", "missing a required argument: 'kernel_size'; it takes filters, kernel_size, strides"),
    ("model = ['Dense(0)']", "layer 'Dense(0)': Dense \"dense\": expected units to be a positive integer, got 0"),
    ("model = ['Conv2D(8, 9)']", "layer 'Conv2D(8, 9)': Conv2D \"conv2d\": expected an input that a window of 9x9"),
    ("model = ['Dense(1 / 0)']", "layer 'Dense(1 / 0)': division by zero"),
    ("model = ['Dense(print(3))']", "function: 'print' is not known"),
    ("model = ['Dense(3 .real)']", "expected numbers, texts, lists, names and calls, got '3 .real'"),
    ("model = 'mlp(hidden=[3])'", "argument: 'hidden' is not known; did you mean 'hidden_units'?"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_before_anything_is_done(told, tmp_path, line, expected):
    code, output, errors = told(f"# a comment\nseed = 1\n{line}\n", "--print-config")
    assert (code, output) == (2, "")
    assert expected in only_line(errors)
    assert "--config plan.toml, line 3: " in errors
    assert [path.name for path in tmp_path.iterdir()] == ["plan.toml"]


@pytest.mark.parametrize(("text", "expected"), [
    ("epochs = \n", "expected TOML, got none: Invalid value (at line 1, column 10)"),
    ("epochs = 1\nepochs = 2\n", "Cannot overwrite a value (at line 2"),
    ("model = ['Flatten', 'Dense(3)']", "expected one from images (8, 8, 1) to 10 classes, got one from"),
    ("model = ['Flatten', 'Dense(classes)']", "expected one that ends in probabilities, got Dense"),
    ("model = 'nowhere.py:make'", "expected a file of Python before the colon, got nothing there"),
])  # fmt: skip
def test_what_is_no_configuration_is_refused(told, text, expected):
    code, _, errors = told(text, "--print-config")
    assert code == 2
    assert expected in only_line(errors)


def test_a_file_that_is_not_there_or_is_no_text_is_refused(tmp_path, capsys):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name, expected in (("nothing", "got nothing there"), ("bytes", "expected TOML, which is UTF-8")):
        assert main(["train", "--config", str(tmp_path / name)]) == 2
        assert expected in only_line(capsys.readouterr().err)


def test_a_function_of_a_file_makes_the_network(told, tmp_path):
    (tmp_path / "net.py").write_text("""
from fastcnn import Input, Model, layers

def make(input_shape, classes):
    x = Input(input_shape)
    return Model(x, layers.Dense(classes, activation="softmax")(layers.Flatten()(x)))
""")
    code, _, errors = told("model = 'net.py:make'\nepochs = 1\n", "--out", "run")
    assert (code, errors) == (0, "")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["model"], config["network"]) == ("make", f"{tmp_path}/net.py:make")
    code, _, errors = told("model = 'net.py:mak'\n", "--print-config")
    assert code == 2
    assert "function: 'mak' is not known; did you mean 'make'?" in only_line(errors)

    # What replays the run knows the file, and its model needs none.
    again = (tmp_path / "run" / "config.toml").read_text()
    assert told(again, "--print-config")[1] == again
    with (tmp_path / "net.py").open("a") as file:
        file.write("# another one\n")
    code, _, errors = told(again, "--print-config")
    assert code == 2
    digest = config["model_digest"][:12]
    assert f"expected the file with the --model-digest {digest}..., got one that was changed, " in only_line(errors)
    assert told(again, "--print-config", "--model", "lenet")[0] == 0
    (tmp_path / "net.py").unlink()
    assert main(["evaluate", "run", "--part", "dev"]) == 0
    assert told("model-digest = 'abc'\n", "--print-config")[0] == 2


def test_a_digest_has_what_a_file_imports_from_beside_it(tmp_path):
    texts = {"net.py": "import blocks.wide, numpy\n", "blocks/__init__.py": "from other import thing\n",
             "blocks/wide.py": "", "other.py": "import net\n", "numpy.txt": "", "mine.py": ""}
    (tmp_path / "blocks").mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    file, digests = NetworkFile(tmp_path / "net.py", "make"), set()
    for name in texts:
        before = file.digest()
        (tmp_path / name).write_text(texts[name] + "# more\n")
        assert (file.digest() != before) == (name not in ("numpy.txt", "mine.py")), name
        digests.add(file.digest())
    assert len(digests) == 4
    (tmp_path / "net.py").write_text("no Python (")
    assert file.digest() not in digests
    assert NetworkFile(tmp_path / "none.py", "make").digest() is None


def test_the_order_of_options_has_every_one_that_decides_about_a_result():
    from fastcnn.cli import train

    no_matter = {"config", "print_config", "out", "resume", "data_dir", "folds", "seeds", "help", "dry_run",
                 "overfit_batch", "as_json", "quiet", "report", "device"}  # files know no device
    assert {param.name for param in train.command.params} - no_matter == set(_config.OPTIONS) - {"data_dir"}
    assert "train" in COMMANDS


def test_the_guide_s_file_is_one_and_its_flags_are_those_of_the_command(told):
    from fastcnn.cli import train

    guide = (ROOT / "docs" / "guides" / "command-line.md").read_text()
    code, output, errors = told(re.search(r"```toml\n(.*?)```", guide, re.S)[1], "--print-config")
    assert (code, errors) == (0, "")
    assert tomllib.loads(output)["weight-decay"] == 5e-3
    known = {word for param in train.command.params for word in param.opts}
    table = guide.split("## How to train")[1].split("Before a long training")[0]
    said = set(re.findall(r"`(--[\w-]+)", table))
    assert said <= known
    practice = [param for param in train.command.params
                if getattr(param, "group", "") in ("Training", "Regularization")]
    assert {param.opts[0] for param in practice} <= said


def test_every_value_comes_back_from_its_text():
    values = {"a": 'quotes " and \\ and \n', "b": [1, 2.5e-07, "x\x7f\u2028"], "c": True, "d": -3, "e-f": "ü", "g": []}
    assert tomllib.loads(toml_text.text(values)) == values


def test_lines_are_found_for_keys_of_every_form():
    text = "# epochs = 1\nlr = 1\n  'epochs'= 3\n[model]\nlayers = 2\n[[augment]]\n"
    assert [line_of(text, key) for key in ("lr", "epochs", "model", "augment", "none")] == [2, 3, 4, 6, 1]
