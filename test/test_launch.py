# SPDX-License-Identifier: Apache-2.0
"""The launch files and the RViz configuration: every name relative, every argument explained, and they start."""

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LAUNCH_FILES = sorted((ROOT / "launch").glob("*.launch.py"))
DISPLAYS = yaml.safe_load((ROOT / "rviz/scene_r1.rviz").read_text(encoding="utf-8"))["Visualization Manager"]


def by_name(path: Path) -> str:
    return path.name


# What needs no ROS ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=by_name)
def test_a_launch_file_names_nothing_absolute(path: Path):
    """An absolute name would tie two robots together."""
    texts = [n.value for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant)]
    assert [text for text in texts if isinstance(text, str) and text.startswith("/")] == []


def test_pose_types_are_those_of_the_server():
    poses = pytest.importorskip("scene_r1_ros.ros.poses", reason="needs rclpy, and the messages of ROS")
    (names,) = re.findall(r"POSE_TYPES = \[(.*)\]", (ROOT / "launch/scene_r1.launch.py").read_text(encoding="utf-8"))
    assert ast.literal_eval(f"[{names}]") == ["", *poses.POSE_TYPES, "tf"]


def test_rviz_topics_are_relative_and_its_frame_is_the_default_world_frame():
    topics = [display["Topic"]["Value"] for display in DISPLAYS["Displays"] if "Topic" in display]
    assert topics
    assert not [topic for topic in topics if topic.startswith("/")]
    assert DISPLAYS["Global Options"]["Fixed Frame"] == "map"


@pytest.mark.parametrize("output", ["mask", "markers", "overlay"])
def test_rviz_takes_latched_outputs_of_the_past(output: str):
    (topic,) = [d["Topic"] for d in DISPLAYS["Displays"] if d.get("Topic", {}).get("Value") == f"scene_r1/{output}"]
    assert topic["Durability Policy"] == "Transient Local"
    assert topic["Reliability Policy"] == "Reliable"


# What needs launch, which every ROS distribution has and PyPI has not ------------------------------------------------


@pytest.fixture
def load(monkeypatch):
    """Loads a launch file as `ros2 launch` does; what it starts is not heard elsewhere."""
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_DOMAIN_ID", os.environ.get("ROS_DOMAIN_ID", str(1 + os.getpid() % 60)))
    sources = pytest.importorskip(
        "launch.launch_description_sources", reason="needs the ROS package launch (ros-$ROS_DISTRO-launch)"
    )
    pytest.importorskip("launch_ros", reason="needs the ROS package launch_ros (ros-$ROS_DISTRO-launch-ros)")
    return lambda path: sources.get_launch_description_from_python_launch_file(str(path))


def arguments_of(description: Any) -> dict[str, Any]:
    return {argument.name: argument for argument in description.get_launch_arguments()}


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=by_name)
def test_every_argument_is_described(load, path: Path):
    arguments = arguments_of(load(path))
    assert {"namespace", "model", "rviz", "params_file", "log_level"} <= set(arguments)
    for argument in arguments.values():
        assert argument.description != "no description given", argument.name
    for name in ("rviz", "log_level"):
        assert argument_takes(arguments[name], arguments[name].choices[0])
        assert not argument_takes(arguments[name], "nonsense")


def argument_takes(argument: Any, value: str) -> bool:
    from launch import LaunchContext

    context = LaunchContext()
    context.launch_configurations[argument.name] = value
    try:
        argument.execute(context)
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize(
    ("chosen", "profile"),
    [
        ({}, "fastdds.xml"),
        ({"FASTDDS_BUILTIN_TRANSPORTS": "SHM"}, ""),
        ({"FASTDDS_DEFAULT_PROFILES_FILE": "my.xml"}, ""),
    ],
)
def test_large_images_get_through_unless_the_operator_has_chosen(load, monkeypatch, chosen: dict, profile: str):
    from launch import LaunchContext
    from launch.actions import OpaqueFunction

    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")
    for name in names:
        monkeypatch.setenv(name, "")  # also restores it afterwards
        monkeypatch.delenv(name)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    description, context = load(ROOT / "launch/scene_r1.launch.py"), LaunchContext()
    first = next(entity for entity in description.entities if isinstance(entity, OpaqueFunction))
    for action in first.execute(context) or []:
        action.execute(context)
    set_now = {name: os.environ[name] for name in names if name in os.environ}
    if profile:
        assert list(set_now) == list(names[:2]) and all(Path(path).name == profile for path in set_now.values())
        assert all(Path(path).is_file() for path in set_now.values())
    else:
        assert set_now == chosen


def started(load, path: Path, seconds: float, **values: str) -> tuple[int, list[str]]:
    """Runs a launch file until its processes have started and said something, then as after Ctrl-C."""
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription, RegisterEventHandler, Shutdown, TimerAction
    from launch.event_handlers import OnProcessIO
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    said: list[str] = []

    def listen(event: Any) -> list[Any]:
        said.append(event.text.decode())
        return [Shutdown()] if "ready" in said[-1] or "rror" in said[-1] else []

    service = LaunchService(noninteractive=True)
    include = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(path)), launch_arguments=values.items())
    listener = RegisterEventHandler(OnProcessIO(on_stdout=listen, on_stderr=listen))
    service.include_launch_description(
        LaunchDescription([listener, include, TimerAction(period=seconds, actions=[Shutdown()])])
    )
    return service.run(), said


def test_the_server_starts_with_nothing_but_defaults(load):
    returned, said = started(load, ROOT / "launch/scene_r1.launch.py", 60.0)
    assert returned == 0
    assert "ready: model box" in "".join(said)


def test_arguments_reach_the_server(load, tmp_path: Path):
    """A namespace, a params file and an argument that wins over it."""
    params = tmp_path / "params.yaml"
    params.write_text("/**:\n  ros__parameters:\n    model: {kind: recorded, path: nowhere.yaml}\n", encoding="utf-8")
    returned, said = started(
        load, ROOT / "launch/scene_r1.launch.py", 60.0, params_file=str(params), model="box", namespace="robot1"
    )
    assert returned == 0
    assert "[robot1.scene_r1]" in "".join(said)
    assert "ready: model box" in "".join(said)
