# SPDX-License-Identifier: Apache-2.0
"""Real nodes over real DDS: every test file gets a domain that no other process of these tests uses."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rclpy

from scene_r1_ros.ros import transport
from scene_r1_ros.ros.client import SceneR1Client
from test.ros.processes import DEADLINE_S, ROOT, Process
from test.ros.serving import write_walk

DOMAINS = range(70, 100)  # above 101 ports may clash with others


@pytest.fixture(scope="module")
def ros_domain() -> Iterator[int]:
    """A ROS domain that is ours as long as we hold its lock."""
    for domain in DOMAINS:
        with (Path(tempfile.gettempdir()) / f"scene_r1_ros_domain_{domain}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    pytest.fail(f"all domains {DOMAINS} are taken by other runs of these tests")


@pytest.fixture(scope="module")
def ros_env(ros_domain: int) -> dict[str, str]:
    """The environment of a node: a domain of its own on this machine, and a transport that loses no large image."""
    return {
        **transport.local(ros_domain),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }


@pytest.fixture
def start(ros_env: dict[str, str]) -> Iterator[Callable[..., Process]]:
    """``start(*command)`` runs Python in a process of its own that sees only this file's domain."""
    started: list[Process] = []

    def start_process(*command: str, **env: str) -> Process:
        started.append(Process({**ros_env, **env}, *command))
        return started[-1]

    yield start_process
    for process in started:
        process.end()


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk around a block as a folder; beside it ``recorded.yaml``, what a good model says of it."""
    return write_walk(tmp_path_factory.mktemp("walk"))


@pytest.fixture(scope="module")
def context(ros_env: dict[str, str]) -> Iterator[rclpy.Context]:
    """For nodes in the test's own process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(transport.BUILTIN, raising=False)
        for name, value in ros_env.items():
            patch.setenv(name, value)
        context = rclpy.Context()
        rclpy.init(context=context)
        yield context
        rclpy.shutdown(context=context)


@pytest.fixture
def client(context: rclpy.Context) -> Iterator[SceneR1Client]:
    made = SceneR1Client("test_client", context=context)
    yield made
    made.destroy_node()


@pytest.fixture
def serve(start: Callable[..., Process], walk: Path, client: SceneR1Client) -> Callable[..., Process]:
    """``serve(**parameters)`` starts a server with recorded answers, and lets it see the walk unless told not to."""

    def run(walked: bool = True, **parameters: object) -> Process:
        given = {"model.kind": "recorded", "model.path": walk.parent / "recorded.yaml", **parameters}
        words = [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]
        server = start("-m", "scene_r1_ros.ros.server", "--ros-args", *words)
        client.wait_until_ready(DEADLINE_S)
        if walked:
            replay = start("-m", "scene_r1_ros.ros.replay", "--ros-args", "-p", f"sequence:={walk}")
            assert replay.wait() == 0, replay.log
        return server

    return run
