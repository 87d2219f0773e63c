"""The rules of the house: who may import whom, and documented parameters are the actual ones."""

import ast
import importlib
import inspect
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

import fastcnn as fc
from tests import imports

PACKAGE = Path(fc.__file__).parent

#: The rooms, from the ground: a module imports only from a floor below its own, or from its own room.
FLOORS = (
    "_collection _hooks errors bfloat16 _interrupts _version _warnings array_like auto_names recent traits "
    "control_groups cpu_features",
    "finite unsupported tensor_operators registry available_memory algorithm_tables",
    "dtype_policies switches",
    "config",
    "geometry random kernels memory_pool kernel_recorder",
    "formats",
    "kernels.cpu.compile",
    "kernels.cpu.simd",
    "kernels.cpu.gemm kernels.cpu.elementwise kernels.cpu.pooling kernels.cpu.normalization "
    "kernels.cpu.layout kernels.cpu.optimizers kernels.cpu.peak",
    "kernels.cpu.amx kernels.cpu.conv kernels.cpu.winograd kernels.cpu.depthwise kernels.cpu.losses "
    "kernels.cpu.augmentation kernels.cpu.evaluation kernels.cpu.regions",
    "kernels.cpu.fused kernels.cpu.int8",
    "kernels.cpu",
    "kernels.cuda.compile",
    "kernels.cuda.rows kernels.cuda.sums kernels.cuda.slices",
    "kernels.cuda.elementwise kernels.cuda.pooling",
    "kernels.cuda.normalization kernels.cuda.layout kernels.cuda.optimizers",
    "kernels.cuda.conv kernels.cuda.depthwise kernels.cuda.losses",
    "kernels.cuda",
    "host_device",
    "device",
    "cuda",
    "initializers symbolic",
    "constraints regularizers parameters",
    "parameter_blocks operations stored_parameters variables",
    "activations data",
    "layers losses optimizers metrics datasets augmentation",
    "callbacks objective array_data",
    "augmented_data ops",
    "graph",
    "differentiate training",
    "models",
    "saving utils quantization",
    "applications backend onnx bench",
    "vision sklearn tuning",
    "report",
    "serving",
    "cli",
    "__main__",
)
RANKS = {f"fastcnn.{room}": rank for rank, floor in enumerate(FLOORS) for room in floor.split()} | {
    "fastcnn": len(FLOORS)}

#: Imports that break the rule, (module, imported): why.
ALLOWED: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="module")
def whole():
    """Return the modules that each module imports, allowed or not."""
    return imports.graph(PACKAGE)


@pytest.fixture(scope="module")
def graph(whole):
    """Return the modules that each module imports, without what is allowed."""
    return {module: {other for other in imported if (module, other) not in ALLOWED}
            for module, imported in whole.items()}


FOLDERS = sorted(module for module, path in imports.modules(PACKAGE).items() if path.name == "__init__.py")


def _room(module):
    return max((room for room in RANKS if f"{module}.".startswith(f"{room}.")), key=len)  # kernels.cpu before kernels


def test_a_module_imports_only_from_lower_rooms(graph):
    assert [module for module in graph if module != "fastcnn" and _room(module) == "fastcnn"] == [], "have no rank"
    upwards = [f"{module} imports {other}" for module, imported in graph.items() for other in imported - {module}
               if _room(other) != _room(module) and RANKS[_room(other)] >= RANKS[_room(module)]]
    assert upwards == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_lies_in_a_folder_imports_one_another_without_a_circle(folder, graph):
    assert imports.circle(imports.siblings(graph, folder)) == []


def test_what_is_allowed_is_done(whole):
    assert [pair for pair in ALLOWED if pair[1] not in whole[pair[0]]] == []


def test_imports_are_seen_wherever_they_stand_but_for_those_of_type_checkers(tmp_path):
    texts = {
        "__init__.py": "",
        "a.py": "import os\nif os.name:\n    from house import b\nelse:\n    from house.c import thing\n",
        "b.py": "def f():\n    try:\n        import house.room.d\n    except ImportError:\n        pass\n",
        "c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house import a\n"
                "if not TYPE_CHECKING:\n    from house.room import d\n",
        "room/__init__.py": "", "room/d.py": "class A:\n    def f(self):\n        from house.a import thing\n",
    }  # fmt: skip
    for name, text in texts.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    whole = imports.graph(tmp_path / "house")
    assert whole == {"house": set(), "house.a": {"house.b", "house.c"}, "house.b": {"house.room.d"},
                     "house.c": {"house.room.d"}, "house.room": set(), "house.room.d": {"house.a"}}
    assert imports.circle(whole) == ["house.a", "house.b", "house.room.d", "house.a"]
    assert imports.circle(imports.siblings(whole, "house")) == ["a", "b", "room", "a"]
    assert imports.circle(imports.siblings(whole, "house.room")) == []


def test_only_the_device_and_the_command_line_import_the_kernels_of_a_device(graph):
    for module, imported in graph.items():
        if not module.startswith(("fastcnn.kernels", "fastcnn.device", "fastcnn.cli")):
            assert not any(name.startswith("fastcnn.kernels.cpu") for name in imported), module
        if not module.startswith(("fastcnn.kernels", "fastcnn.cuda", "fastcnn.cli")):
            assert not any(name.startswith("fastcnn.kernels.cuda") for name in imported), module


def test_the_map_of_the_architecture_page_names_what_is_there_and_every_room():
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    rows = text.split("## The map")[1].split("## The way of the data")[0].splitlines()
    named = {name for row in rows if row.startswith("| `") for name in re.findall(r"`([\w/]+(?:\.py|/))`", row)}
    files = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")}
    folders = {str(path.parent.relative_to(PACKAGE)) + "/" for path in PACKAGE.rglob("__init__.py")} - {"./"}
    lost = {name for name in named if not any(one.endswith(f"/{name}") or one == name for one in files | folders)}
    assert lost == set()
    rooms = {name.split("/")[-2] for name in named if name.endswith("/")}
    assert {folder.split("/")[-2] for folder in folders if folder.count("/") == 1} <= rooms
    assert {folder.split("/")[-2] for folder in folders if folder.count("/") == 3 and "kernels/cpu/" in folder} <= rooms


def test_the_glossary_is_in_order_and_names_classes_that_are_there():
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text().split("## Glossary")[1]
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.M)
    assert terms == sorted(terms, key=str.lower)
    classes = {node.name for path in imports.modules(PACKAGE).values() for node in ast.walk(ast.parse(path.read_text()))
               if isinstance(node, ast.ClassDef)}
    assert set(re.findall(r"`([A-Z]\w+)`", text)) - classes == {"KerasTensor"}


def test_the_readme_is_a_front_page_whose_links_lead_somewhere():
    text = (PACKAGE.parent / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    links = {link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link}
    assert [link for link in sorted(links) if not (PACKAGE.parent / link).exists()] == []


def test_no_file_is_longer_than_300_lines():
    lengths = {module: len(path.read_text().splitlines()) for module, path in imports.modules(PACKAGE).items()}
    assert {module: length for module, length in lengths.items() if length > 300} == {}


def test_no_function_of_a_kernel_is_longer_than_200_lines_and_every_file_explains_itself():
    for path in sorted((PACKAGE / "kernels" / "cpu").rglob("*.py")):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 200, f"{path}: {node.name}"


def test_no_kernel_spells_a_compile_flag():
    for module, path in imports.modules(PACKAGE).items():
        if module.startswith("fastcnn.kernels.cpu.") and not module.startswith("fastcnn.kernels.cpu.compile"):
            flags = re.search(r"\b(njit|jit|prange)\b\(|\b(parallel|fastmath|cache)\s*=\s*[T{F]", path.read_text())
            assert flags is None, module


#: Public kernels that take more than eight arguments, by file: outputs, saved, scratch, inputs, parameters, geometry.
LONG_KERNELS = {
    "amx.convolution": {"bfloat16_conv2d_backward_input", "bfloat16_conv2d_forward"},
    "augmentation.augment": {"augment"},
    "bf16.convolution": {"pairs_conv2d_backward_input", "pairs_conv2d_forward"},
    "bf16.inverted_residual": {"pairs_inverted_residual_forward"},
    "conv.backward_input": {"conv2d_backward_input"},
    "conv.few": {"few_filters_forward"},
    "conv.forward": {"conv2d_forward"},
    "conv.scaled": {"scaled_conv2d_forward"},
    "elementwise.merge": {"merge_backward"},
    "fused.inverted_residual": {"inverted_residual_forward"},
    "losses.binary": {"binary_loss"},
    "losses.elementwise": {"elementwise_loss"},
    "losses.rows": {"row_loss"},
    "normalization.batch": {"batch_norm_forward", "batch_norm_predict", "batch_norm_backward"},
    "normalization.group": {"group_norm_backward"},
    "normalization.local_response": {"local_response_norm_backward"},
    "normalization.pooled": {"batch_norm_pool_forward", "batch_norm_pool_backward"},
    "optimizers.adaptive": {"adaptive_step"},
    "optimizers.descent": {"adam"},
    "winograd.forward": {"winograd_forward", "winograd_backward_input"},
}


def test_only_named_kernels_and_what_has_keras_s_arguments_take_more_than_eight_by_position():
    """Ruff looks at the other files; in those that it leaves out it cannot tell the interface from a helper."""
    rooms = [fc.callbacks, fc.layers, fc.losses, fc.metrics, fc.optimizers, fc.applications, fc.models, fc.ops.image,
             fc.utils, importlib.import_module("fastcnn.models.plot")]
    public = [thing for room in rooms for name, thing in vars(room).items() if not name.startswith("_")]
    known = {kind.__name__ for thing in public if inspect.isclass(thing) for kind in thing.__mro__}
    # `_published` makes EfficientNets and ConvNeXts.
    known |= {thing.__name__ for thing in public if inspect.isfunction(thing)} | {"_published"}
    kernels = {}
    for module, path in imports.modules(PACKAGE).items():
        tree = ast.parse(path.read_text())
        owners = {id(child): node.name for node in ast.walk(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))
                  for child in node.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                given = [argument.arg for argument in node.args.posonlyargs + node.args.args]
                count = len(given) - (given[:1] in (["self"], ["cls"]))
                if module.startswith("fastcnn.kernels.cuda."):  # pointers and numbers, or the CPU's arguments
                    continue
                if count > 8 and any(ast.unparse(one).partition("(")[0] == "kernel" for one in node.decorator_list):
                    kernels.setdefault(module.removeprefix("fastcnn.kernels.cpu."), set()).add(node.name)
                else:
                    allowed = count <= 8 or node.name in known or owners.get(id(node)) in known
                    assert allowed, f"{module}: {node.name} takes {count} arguments by position"
    assert kernels == LONG_KERNELS
    assert sum(map(len, LONG_KERNELS.values())) <= 26


def test_the_limits_on_arguments_branches_and_statements_are_on_and_left_out_for_arguments_alone():
    """No file is excepted from the limits on complexity and on statements, but for tests, examples and scripts."""
    ruff = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"C901", "PLR0915", "PLR0917"} <= set(ruff["select"])
    assert ruff["mccabe"]["max-complexity"] == 15
    assert ruff["pylint"] == {"max-statements": 50, "max-positional-args": 8}
    excepted = {pattern: rules for pattern, rules in ruff["per-file-ignores"].items() if pattern.startswith("fastcnn/")}
    assert {rule for rules in excepted.values() for rule in rules} == {"F401", "PLR0917"}


def test_nobody_above_the_device_names_the_cpu():
    """Kernels are asked of the device of an array: no `cpu` by attribute, import or `getattr`."""
    for module, path in imports.modules(PACKAGE).items():
        if module != "fastcnn.device" and not module.startswith("fastcnn.kernels"):
            assert cpus(ast.parse(path.read_text())) == [], module


def cpus(tree):
    """Return the lines of a module that name the CPU's device, or its kernels, in whatever way."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "cpu":
            found.append(node.lineno)
        if isinstance(node, ast.Call) and "cpu" in [one.value for one in node.args if isinstance(one, ast.Constant)]:
            found.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "cpu" for alias in node.names):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("text", ["device.cpu.empty(1)", "d = device\nd.cpu", "from fastcnn.device import cpu",
                                  "from fastcnn.kernels import cpu", "getattr(device, 'cpu')", "kernels.cpu.add"])
def test_the_cpu_is_found_however_it_is_named(text):
    assert cpus(ast.parse(text))


#: Classes of one name in two rooms, and why.
TWICE = dict.fromkeys(
    ("BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge", "KLDivergence",
     "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
     "RootMeanSquaredError", "SparseCategoricalCrossentropy", "SquaredHinge"),
    "Keras has a loss and a metric of this name") | {
    "Sum": "Keras has a metric of the name of what sums windows",
    "Identity": "Keras has a layer and an initializer of this name"}


def test_a_class_name_has_one_meaning():
    places = defaultdict(list)
    for module, path in imports.modules(PACKAGE).items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    assert {name: found for name, found in places.items() if len(found) > 1 and name not in TWICE} == {}
    assert [name for name in TWICE if len(places[name]) != 2] == []


def _documented():
    rooms = [fc.activations, fc.layers, fc.losses, fc.optimizers, fc.metrics, fc.initializers, fc.regularizers,
             fc.constraints, fc.geometry, fc.utils, fc.parameters, fc.models, fc.saving, fc.data, fc.datasets,
             fc.applications, fc.device, fc.callbacks, fc.config, fc.dtype_policies, fc.traits, fc.graph.rules, *(
                 importlib.import_module(f"fastcnn.{name}") for name in (
                 "bench.machine", "bench.layers", "bench.torch_peer", "bench.plot", "graph.arena", "graph.executable",
                 "graph.execute", "graph.node", "graph.replay", "graph.steps", "graph.trace", "report"))]
    for room in rooms:
        for name, thing in vars(room).items():
            if not name.startswith("_") and getattr(thing, "__module__", "").startswith("fastcnn") and (
                    inspect.isclass(thing) or inspect.isfunction(thing)):
                yield f"{room.__name__}.{name}", thing
                for kind in thing.__mro__ if inspect.isclass(thing) else ():
                    for method, function in vars(kind).items() if kind.__module__.startswith("fastcnn") else ():
                        if inspect.isfunction(function) and not method.startswith("_"):
                            yield f"{kind.__module__}.{kind.__name__}.{method}", function


def _not_taken(thing):
    """Return what a docstring has among its parameters and the function, or class, does not take."""
    ends = "Returns|Raises|Attributes|Yields|Notes|Examples|References"
    section = re.search(rf"Parameters\n-+\n(.*?)(?:\n\n?(?:{ends})\n-+|\Z)",
                        inspect.getdoc(thing) or "", re.S)
    if section is None:
        return set()
    documented = [n.strip().lstrip("*") for line in re.findall(r"^([\w*][\w, *]*) ?:", section[1], re.M)
                  for n in line.split(",")]
    function = thing.__init__ if inspect.isclass(thing) else getattr(thing, "py_func", thing)
    actual = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
    if inspect.isclass(thing) and "__init__" not in vars(thing) and hasattr(thing, "_fields"):
        actual = list(thing._fields)
    return set(documented or ["no parameter at all"]) - set(actual)


def test_documented_parameters_are_the_actual_ones():
    things = dict(_documented())
    assert len(things) > 1000
    assert {name: wrong for name, thing in things.items() if (wrong := _not_taken(thing))} == {}


def test_the_version_is_that_of_the_built_package():
    built = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]["version"]
    assert fc.__version__ == built


def test_importing_the_package_imports_nothing_heavy():
    import subprocess
    import sys

    code = "import fastcnn, sys; print([m for m in ('numpy', 'numba', 'rich', 'click') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
