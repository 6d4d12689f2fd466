# SPDX-License-Identifier: Apache-2.0
"""The whole graph over real DDS: a replayed walk, the server in a process of its own, a client here."""

import json
import signal

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from scene_r1_ros.action import Ground
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import String
from visualization_msgs.msg import Marker, MarkerArray

from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.ros.client import SceneR1Client
from scene_r1_ros.ros.messages import cloud_to_arrays, nanoseconds_of
from scene_r1_ros.ros.server import reports_in
from scene_r1_ros.types import Box2D
from test.ros.processes import wait_until
from test.ros.serving import FRAMES, TRUTHS, spin_until
from test.scenes import BLOCK, tight_box

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
CHECKS = ["times in the clip", "window answers the reasoning", "label names the query", "verified in 3D"]
OUTPUTS = {"mask": PointCloud2, "markers": MarkerArray, "rationale": String, "overlay": Image}


def test_a_sentence_becomes_an_object_on_every_topic(serve, client, context, tmp_path):
    serve(report_dir=tmp_path)
    heard = {}
    for name, kind in OUTPUTS.items():
        client.create_subscription(kind, f"/scene_r1/{name}", lambda m, n=name: heard.update({n: m}), LATCHED)
    client.ground("the red block")
    while not client.is_task_complete():
        pass
    outcome = client.get_result()
    assert outcome.found and outcome.error_code == Ground.Result.NONE
    check_object(outcome.objects[0])
    assert [s.stage for s in outcome.rationale][:5] == ["temporal", "image", "track", "lift", "verify"]
    assert "that confirms it" in outcome.rationale[-1].text
    assert nanoseconds_of(outcome.window_start) == FRAMES[0].stamp_ns
    assert nanoseconds_of(outcome.window_end) == FRAMES[-1].stamp_ns
    assert {check.name for check in outcome.checks if check.holds} == set(CHECKS)
    asked = {timing.stage: (timing.model_calls, timing.frames) for timing in outcome.timings}
    assert asked["temporal"] == (1, len(FRAMES)) and asked["image"] == (2, 2) and asked["lift"] == (0, 0)
    assert client.get_feedback().stage == "answer" and client.get_feedback().progress > 0.5
    spin_until(client, lambda: set(heard) == set(OUTPUTS))
    check_topics(heard, outcome)
    saved = json.loads((tmp_path / outcome.query_id / "answer.json").read_text(encoding="utf-8"))
    assert saved["status"] == "found" and (tmp_path / outcome.query_id / "overlay.png").exists()


def check_object(found) -> None:
    assert found.header.frame_id == "map" and found.label == "block"
    assert nanoseconds_of(found.header.stamp) in {f.stamp_ns for f in FRAMES}
    centre = [found.pose.position.x, found.pose.position.y, found.pose.position.z]
    assert np.allclose(centre, BLOCK.center_world, atol=0.05)
    assert sorted([found.size.x, found.size.y, found.size.z]) == pytest.approx([0.2, 0.3, 0.4], abs=0.05)
    points, colors = cloud_to_arrays(found.mask)
    assert len(points) > 100 and np.abs(points - BLOCK.center_world).max() < 0.3
    assert (colors[:, 0] > colors[:, 1]).mean() > 0.9  # red
    assert len(found.views) >= 4
    assert np.linalg.eigvalsh(np.reshape(found.center_covariance, (3, 3))).min() > 0
    normal, point = found.nearest_normal, found.nearest_point
    assert np.linalg.norm([normal.x, normal.y, normal.z]) == pytest.approx(1)
    assert np.allclose([point.x, point.y, point.z], BLOCK.center_world, atol=0.3)
    assert found.visible >= 4 and found.absent == 0


def check_topics(heard, outcome) -> None:
    assert heard["mask"].width == outcome.objects[0].mask.width
    actions = [m.action for m in heard["markers"].markers]
    assert actions == [Marker.DELETEALL, Marker.ADD, Marker.ADD]
    assert heard["markers"].markers[1].ns == outcome.query_id
    assert outcome.query_id in heard["rationale"].data and "It is red." in heard["rationale"].data
    assert (heard["overlay"].width, heard["overlay"].encoding) == (160, "rgb8")
    assert heard["overlay"].header.frame_id == "camera_color_optical_frame"


def test_what_is_not_there_is_said_and_clears_the_last_answer(serve, client):
    serve()
    heard = []
    pictures = []
    client.create_subscription(PointCloud2, "/scene_r1/mask", heard.append, LATCHED)
    client.create_subscription(Image, "/scene_r1/overlay", pictures.append, LATCHED)
    client.ground("the blue ball")
    outcome = client.get_result()
    assert not outcome.succeeded and outcome.error_code == ErrorCode.NOT_FOUND
    assert "not in the video" in outcome.error_msg and not outcome.objects
    spin_until(client, lambda: heard and pictures)
    assert heard[0].width == 0
    assert pictures[0].width == 160  # it says so on the newest keyframe


def test_a_question_gets_an_answer(serve, client):
    serve()
    client.ask("how many blocks?")
    outcome = client.get_result()
    assert (outcome.succeeded, outcome.answer, outcome.kind) == (True, "1", "count")
    assert outcome.rationale[-1].text.startswith("I count.") and not outcome.objects
    assert {timing.stage: timing.model_calls for timing in outcome.timings} == {"select": 0, "answer": 1}


def test_a_question_where_gets_its_object_on_every_topic_too(serve, client):
    serve()
    heard = []
    client.create_subscription(PointCloud2, "/scene_r1/mask", heard.append, LATCHED)
    client.ask("where is the red block?")
    outcome = client.get_result()
    assert outcome.succeeded and outcome.answer.startswith("here. block: at (")
    check_object(outcome.objects[0])
    assert [nanoseconds_of(stamp) for stamp in outcome.rationale[-1].stamps] == [FRAMES[3].stamp_ns]
    spin_until(client, lambda: heard)
    assert heard[0].width == outcome.objects[0].mask.width


def test_a_box_on_a_screen_grounds_without_a_model(serve, client):
    serve(**{"model.kind": "box"})
    chosen = TRUTHS[-1]
    client.ground("that one", tight_box(chosen))  # in the newest keyframe
    assert client.get_result().found
    client.ground("that one", tight_box(TRUTHS[0]), box_stamp_ns=TRUTHS[0].frame.stamp_ns)
    assert client.get_result().found


@pytest.mark.parametrize(
    ("box", "stamp_ns", "code", "says"),
    [
        (Box2D(500, 400, 600, 450), 0, ErrorCode.BAD_BOX, "outside the image of 160x120"),
        (Box2D(10, 10, 20, 20), 5, ErrorCode.BAD_BOX, "nearest is"),
    ],
)
def test_a_box_that_cannot_be_used_is_refused(serve, client, box, stamp_ns, code, says):
    serve(**{"model.kind": "box"})
    client.ground("that one", box, stamp_ns)
    outcome = client.get_result()
    assert outcome.error_code == code and says in outcome.error_msg


def test_a_box_without_height_is_refused_not_taken_for_none(serve, client):
    serve(**{"model.kind": "box"})
    goal = Ground.Goal(query="that one")
    goal.box.width = 20
    client._start(client._ground, goal)
    outcome = client.get_result()
    assert outcome.error_code == ErrorCode.BAD_BOX and "y2 > y1" in outcome.error_msg


def test_a_restarted_server_overwrites_no_report(tmp_path):
    assert reports_in("") == reports_in(str(tmp_path / "absent")) == reports_in(str(tmp_path)) == 0
    for name in ("0007-the-mug", "0012-a-chair", "notes", "x-1"):
        (tmp_path / name).mkdir()
    assert reports_in(str(tmp_path)) == 12


def test_bad_goals_are_answered_and_the_node_lives_on(serve, client):
    serve(walked=False)
    for goal, code, says in [
        ("", ErrorCode.NO_KEYFRAMES, "no keyframe has been kept yet"),
        ("the red block", ErrorCode.NO_KEYFRAMES, "no keyframe has been kept yet"),
    ]:
        client.ground(goal)
        outcome = client.get_result()
        assert outcome.error_code == code and says in outcome.error_msg
    client.ask("x" * 2001)
    assert client.get_result().error_code == ErrorCode.NO_KEYFRAMES


def test_an_empty_query_is_refused_with_its_rule(serve, client):
    server = serve()
    for send in (client.ground, client.ask):
        for query in ("", "   ", "x" * 2001):
            send(query)
            outcome = client.get_result()
            assert outcome.error_code == ErrorCode.BAD_QUERY and "expected 1 to 2000" in outcome.error_msg
        send("x" * 2000)
        assert client.get_result().error_code == ErrorCode.MODEL_FAILED  # nothing is recorded for it
    server.signal(signal.SIGINT)
    assert server.wait() == 0, server.log


def test_a_model_that_cannot_be_loaded_is_said_to_who_asks_and_who_reads_the_log(serve, client):
    server = serve(**{"model.path": "/nonexistent/recorded.yaml"})
    for _ in range(2):
        client.ask("how many blocks?")
        outcome = client.get_result()
        assert outcome.error_code == ErrorCode.MODEL_FAILED
        assert "the model could not be loaded: answers /nonexistent/recorded.yaml" in outcome.error_msg
    client.ground("that one", tight_box(TRUTHS[-1]))  # the operator's box needs no model
    assert client.get_result().found
    server.signal(signal.SIGINT)
    assert server.wait() == 0, server.log
    assert "[ERROR]" in server.log and "every goal without a box is refused with MODEL_FAILED" in server.log
    assert "ready: model" not in server.log


def test_a_server_is_ready_once_its_model_is_there(serve, client):
    server = serve(walked=False)
    wait_until(lambda: "ready: model recorded, tracker geometric" in server.log, lambda: server.log)
    assert server.log.index("the model is loaded: recorded") < server.log.index("ready: model recorded")


def test_without_a_model_to_load_it_is_ready_for_boxes_at_once(serve, client):
    server = serve(walked=False, **{"model.kind": "box"})
    wait_until(lambda: "ready: model box" in server.log, lambda: server.log)
    client.ask("how many blocks?")
    outcome = client.get_result()
    assert outcome.error_code == ErrorCode.BAD_INPUT and "no model is configured" in outcome.error_msg


def test_a_deadline_is_kept(serve, client):
    serve()
    client.ground("the red block", timeout_s=1e-6)
    outcome = client.get_result()
    assert outcome.error_code == ErrorCode.TIMEOUT and "allow more time" in outcome.error_msg


@pytest.mark.parametrize("parameter", ["lift.voxel_m:=99.0", "goal_policy:=maybe", "model.kind:=magic"])
def test_a_bad_parameter_stops_the_start_with_its_rule(start, parameter):
    server = start("-m", "scene_r1_ros.ros.server", "--ros-args", "-p", parameter)
    assert server.wait() == 2
    assert parameter.split(":=")[0].split(".")[-1] in server.log and "expected" in server.log


def test_another_name_for_the_actions(start, context, walk):
    start("-m", "scene_r1_ros.ros.server", "--ros-args", "-p", "action_name:=eyes", "-r", "__ns:=/robot1")
    client = SceneR1Client("test_client", "eyes", context=context, namespace="robot1")
    client.wait_until_ready()
    client.destroy_node()


def test_nobody_there_is_said(context, monkeypatch):
    client = SceneR1Client("lonely", "nobody", context=context)
    with pytest.raises(TimeoutError, match="is it running"):
        client.wait_until_ready(timeout_s=0.1)
    client.destroy_node()
