# SPDX-License-Identifier: Apache-2.0
"""The benchmark runs and adds up. Its figures are for ``make bench`` on a quiet machine, not for a test."""

import pytest

from scene_r1_ros.errors import SceneR1Error
from scene_r1_ros.evaluation import bench_ros
from scene_r1_ros.ros import transport


def test_the_intake_and_the_bare_subscriber_see_the_same_stream():
    result = bench_ros.bench_intake(seconds=0.5, hz=10.0, repeats=1)
    assert [run["role"] for run in result["runs"]] == ["bare", "intake"]
    for run in result["runs"]:
        assert run["sent"] == 5
        assert run["lost"] == sum(5 - run["received"][topic] for topic in ("rgb/image", "depth/image"))
        assert run["cpu_s"] > 0
    assert result["lost"] == sum(run["lost"] for run in result["runs"])
    assert result["ratio"] == result["intake_cpu_s"] / result["bare_cpu_s"]


def test_a_process_that_fails_is_quoted(monkeypatch):
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_that_does_not_exist")
    with pytest.raises(SceneR1Error, match=r"bare did not start.*rmw_that_does_not_exist"):
        bench_ros.bench_intake(seconds=0.1, repeats=1)


def test_the_synchronizer_is_timed_for_every_size():
    costs = bench_ros.bench_sync(messages=60)
    assert list(costs) == [f"{n} inputs, queue {q}" for n in (2, 3) for q in (10, 30, 100)]
    assert all(cost > 0 for pair in costs.values() for cost in pair.values())


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "config/fastdds.xml, here and for the camera's driver"),
        ({transport.BUILTIN: "LARGE_DATA"}, "config/fastdds.xml"),  # its shared memory holds no whole image either
        ({transport.BUILTIN: "LARGE_DATA?sockets_size=4MB"}, ""),
        ({"FASTRTPS_DEFAULT_PROFILES_FILE": "mine.xml"}, ""),
        (transport.local(5, {}), ""),
        ({**transport.local(5, {}), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, "are ignored"),
        ({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, ""),  # another middleware, other settings
    ],
)
def test_the_advice_for_lost_images(environment, said):
    assert said in transport.advice(environment)
    assert bool(said) == bool(transport.advice(environment))


def test_a_local_environment_keeps_the_rest_and_drops_what_would_win_over_it():
    made = transport.local(7, {"PATH": "/bin", transport.BUILTIN: "UDPv4"})
    assert made["PATH"] == "/bin" and made["ROS_DOMAIN_ID"] == "7" and transport.BUILTIN not in made
