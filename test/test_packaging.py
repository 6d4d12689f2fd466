# SPDX-License-Identifier: Apache-2.0
"""One package, two ways to install, the same code: what has to agree for that, agrees."""

import ast
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import scene_r1_ros

ROOT = Path(__file__).parents[1]
INTERFACES = sorted([*ROOT.glob("action/*.action"), *ROOT.glob("msg/*.msg")])
MODULES = sorted((ROOT / "scene_r1_ros").rglob("*.py"))
PREFIX = Path(os.environ.get("AMENT_PREFIX_PATH", sys.prefix).split(os.pathsep)[0])
# Imported only where a checkpoint is loaded, made or trained.
NEED_TORCH = [
    ROOT / "scene_r1_ros" / path
    for path in (
        "reasoning/qwen/reader.py",
        "reasoning/qwen/prefix_cache.py",
        "evaluation/random_qwen.py",
        "learning/big/processor.py",
        "learning/big/progress.py",
        "learning/big/trl_run.py",
        "learning/nano/architecture.py",
        "learning/nano/dense.py",
        "learning/nano/feed.py",
        "learning/nano/forward.py",
        "learning/nano/generate.py",
        "learning/nano/judge.py",
        "learning/nano/muon.py",
        "learning/nano/packing.py",
        "learning/nano/run.py",
        "learning/nano/sft.py",
        "learning/nano/state.py",
        "learning/nano/vocabulary.py",
    )
]
PIP_ONLY = ["rosbags", "open3d", "torch", "torchvision", "transformers", "httpx2", "sam2"]

needs_interfaces = pytest.mark.skipif(
    find_spec("scene_r1_ros.action") is None, reason="the interfaces are not built: make build, or colcon build"
)


def shared_files() -> list[Path]:
    files = (path for top in ("config", "launch", "rviz") for path in (ROOT / top).rglob("*") if path.is_file())
    return sorted(path for path in files if "__pycache__" not in path.parts)


def run_python(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_catkin_pkg_takes_package_xml():
    """One it refuses makes colcon take the package for plain Python, without a word."""
    parse_package = pytest.importorskip("catkin_pkg.package").parse_package
    warnings: list[str] = []
    package = parse_package(ROOT / "package.xml", warnings=warnings)
    package.validate(warnings=warnings)
    assert warnings == []
    assert (package.name, package.package_format, package.get_build_type()) == ("scene_r1_ros", 3, "ament_cmake")
    assert package.licenses == ["Apache-2.0"]
    assert "rosidl_interface_packages" in [group.name for group in package.member_of_groups]


def test_the_version_is_the_same_everywhere():
    in_xml = re.search(r"<version>(.*)</version>", (ROOT / "package.xml").read_text(encoding="utf-8"))
    by_setup = subprocess.run(
        [sys.executable, "setup.py", "--version"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert in_xml is not None
    assert in_xml.group(1) == by_setup.stdout.split()[-1] == scene_r1_ros.__version__


def test_rosdep_finds_every_key_with_apt():
    """A pip key would stop `rosdep install` where the system guards its Python (PEP 668)."""
    keys = re.findall(r"_depend>([\w-]+)</", (ROOT / "package.xml").read_text(encoding="utf-8"))
    assert keys
    assert not [key for key in keys if key.endswith("-pip")]


def test_package_xml_names_what_the_interfaces_use():
    xml = (ROOT / "package.xml").read_text(encoding="utf-8")
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    used = {m for path in INTERFACES for m in re.findall(r"^(\w+)/\w+", path.read_text(encoding="utf-8"), re.MULTILINE)}
    assert used, "no interface uses another package: the pattern of this test is wrong"
    for package in used:
        assert f"<depend>{package}</depend>" in xml
        assert re.search(rf"set\(interface_dependencies[^)]*\b{package}\b", cmake)


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_every_field_has_a_comment(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# "), "an interface begins by saying what it is"
    for line in (line for line in lines if line.strip() and line != "---" and not line.startswith("#")):
        declaration, _, comment = line.partition("#")
        is_constant = "=" in declaration
        assert is_constant or comment.strip(), f"{declaration.strip()}: say what it is, with its unit and frame"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_the_ros_folder_imports_ros(path: Path):
    imported = {name.split(".")[0] for name in imports_of(path)}
    if path.is_relative_to(ROOT / "scene_r1_ros" / "ros"):
        return
    assert not imported & {"rclpy", "rclpy_action", "cv_bridge", "tf2_ros", "message_filters", "launch", "sensor_msgs"}


def imports_of(path: Path) -> list[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_names_the_licence_and_no_machine(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n")
    assert not re.search(r"(?<![\w.])/(home|root|tmp|opt/ros|usr)/", text)


def test_the_nodes_need_only_what_rosdep_brings():
    """package.xml names no pip package, so a robot may lack all of these until something asks for them."""
    pytest.importorskip("rclpy", reason="needs ROS: make test, or a ROS installation")
    code = f"""
import sys
sys.modules.update(dict.fromkeys({PIP_ONLY!r}))
import scene_r1_ros.ros.replay, scene_r1_ros.ros.server, scene_r1_ros.ros.speech
"""
    run_python(code, ROOT)


def test_importing_the_core_loads_neither_a_model_library_nor_ros():
    core = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if not path.is_relative_to(ROOT / "scene_r1_ros" / "ros") and path not in NEED_TORCH
    ]
    code = f"""
import importlib, sys
for name in {core!r}:
    importlib.import_module(name)
print([name for name in [*{PIP_ONLY[1:]!r}, "rclpy"] if name in sys.modules])
"""
    assert run_python(code, ROOT) == "[]"


@needs_interfaces
def test_interfaces_import_beside_the_source_tree():
    code = "import scene_r1_ros; from scene_r1_ros.action import Ask, Ground; from scene_r1_ros.msg import SceneObject"
    where = run_python(f"{code}; print(scene_r1_ros.__file__)", ROOT)
    assert Path(where) == ROOT / "scene_r1_ros" / "__init__.py"


@needs_interfaces
def test_the_installed_package_is_whole(tmp_path: Path):
    """From another folder, where this tree is not on the path, the modules lie beside the generated interfaces."""
    code = """
import importlib, pkgutil, scene_r1_ros
from scene_r1_ros.action import Ask, Ground
from scene_r1_ros.resources import share
print(scene_r1_ros.__version__)
for folder in ("config/models", "launch", "rviz"):
    assert any(share(folder).iterdir()), folder
print(*[m.name for m in pkgutil.walk_packages(scene_r1_ros.__path__, "scene_r1_ros.")])
"""
    version, modules = run_python(code, tmp_path).splitlines()
    assert version == scene_r1_ros.__version__
    for path in MODULES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        assert name in [*modules.split(), "scene_r1_ros"], f"{name} is not installed: make build, or colcon build"


@needs_interfaces
@pytest.mark.parametrize("path", shared_files(), ids=lambda path: path.name)
def test_shared_files_are_installed(path: Path):
    installed = PREFIX / "share" / "scene_r1_ros" / path.relative_to(ROOT)
    assert installed.read_bytes() == path.read_bytes()


@needs_interfaces
@pytest.mark.parametrize("script", ["lib/scene_r1_ros/server", "lib/scene_r1_ros/replay", "lib/scene_r1_ros/speech"])
def test_executables_are_installed_and_call_a_main(script: str, tmp_path: Path):
    """What `ros2 run` starts; the module is imported by the interpreter the package was built for."""
    path = PREFIX / script
    assert os.access(path, os.X_OK), f"{path} cannot be executed"
    module = re.search(r"^from (scene_r1_ros\S+) import main$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert module is not None
    run_python(f"from {module.group(1)} import main; assert callable(main)", tmp_path)


@needs_interfaces
def test_the_command_runs_from_anywhere(tmp_path: Path):
    done = subprocess.run(
        [PREFIX / "bin" / "scene-r1", "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "ground" in done.stdout


def test_setup_py_takes_everything_along(tmp_path: Path):
    """What pip makes a wheel of, laid out as an installation and used as one."""
    commands = [
        "egg_info",
        "--egg-base",
        tmp_path,
        "build_py",
        "--build-lib",
        tmp_path / "lib",
        "install_data",
        "--install-dir",
        tmp_path,
    ]
    subprocess.run([sys.executable, "setup.py", "--quiet", *commands], cwd=ROOT, check=True, timeout=60)
    for path in [*MODULES, *(ROOT / "scene_r1_ros").rglob("*.txt")]:
        assert (tmp_path / "lib" / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
    for path in shared_files():
        assert (tmp_path / "share" / "scene_r1_ros" / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
    code = "from scene_r1_ros.resources import share; print(share('config/models'))"
    assert run_python(code, tmp_path / "lib") == str(tmp_path / "share" / "scene_r1_ros" / "config" / "models")


def test_test_files_have_names_of_their_own():
    """pytest cannot tell two of one name apart."""
    names = [path.name for path in (ROOT / "test").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
