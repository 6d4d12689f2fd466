# SPDX-License-Identifier: Apache-2.0
"""Every setting is a ROS parameter with its help and range, from a file or the command line, with the same errors."""

from dataclasses import fields, is_dataclass, replace

import pytest
import yaml
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

from scene_r1_ros.config import Config
from scene_r1_ros.errors import BadInput
from scene_r1_ros.ros.intake import IntakeConfig
from scene_r1_ros.ros.parameters import declare


@pytest.fixture
def make_node(ros_domain):
    context = Context()
    context.init(args=[], domain_id=ros_domain)
    nodes = []

    def make(*arguments):
        nodes.append(
            Node("n", context=context, use_global_arguments=False, cli_args=["--ros-args", *arguments])
        )  # fmt: skip
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    context.try_shutdown()


def test_without_any_override_the_defaults_come_back(make_node):
    node = make_node()
    assert declare(node, Config()) == Config()
    assert declare(node, IntakeConfig(), "intake") == IntakeConfig()


def names(settings, start=""):
    for field in fields(settings):
        value = getattr(settings, field.name)
        yield from names(value, f"{start}{field.name}.") if is_dataclass(value) else [f"{start}{field.name}"]


def test_every_setting_is_a_described_read_only_parameter(make_node):
    node = make_node()
    declare(node, Config())
    for name in names(Config()):
        described = node.describe_parameter(name)
        assert described.description
        assert described.read_only
    size = node.describe_parameter("buffer.max_bytes").integer_range[0]
    assert (size.from_value, size.to_value) == (2**20, 2**40)
    iou = node.describe_parameter("verify.min_reprojection_iou").floating_point_range[0]
    assert (iou.from_value, iou.to_value) == (0.0, 1.0)
    assert "one of: box, recorded" in node.describe_parameter("model.kind").additional_constraints
    assert not node.set_parameters([Parameter("buffer.max_bytes", value=2**21)])[0].successful


def test_a_params_file_and_the_command_line_override(make_node, tmp_path):
    file = tmp_path / "params.yaml"
    given = {"buffer": {"max_bytes": 2**22, "patience_s": 0.5}, "model": {"kind": "recorded"}, "timeout_s": 5}
    file.write_text(yaml.safe_dump({"/**": {"ros__parameters": given}}))
    node = make_node("--params-file", str(file), "-p", "buffer.patience_s:=1", "-p", "intake.pose_type:=odometry",
                     "-p", "intake.pose_to_camera:=[1, 2, 3, 0, 0, 0, 1]")  # fmt: skip
    config, intake = declare(node, Config()), declare(node, IntakeConfig(), "intake")
    assert config.buffer == replace(Config().buffer, max_bytes=2**22, patience_s=1.0)  # the line beats the file
    assert (config.model.kind, config.timeout_s) == ("recorded", 5.0)  # a whole number serves as a float
    assert intake == replace(IntakeConfig(), pose_type="odometry", pose_to_camera=(1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0))
    assert node.get_parameter("timeout_s").value == 5.0


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("buffer.max_bytes:=5", "parameters of node n: buffer: max_bytes = 5; expected 1048576 to 1099511627776"),
        ("buffer.max_bytes:=much", "max_bytes = 'much'; expected int (memory for keyframes"),
        ("model.kind:=oracle", "kind = 'oracle'; expected one of box, recorded"),
        ("timeout_s:=.nan", "timeout_s = nan; expected 0.1 to"),
        ("intake.slop_s:=-0.1", "slop_s = -0.1; expected 0.0 to 1.0"),
        ("intake.pose_to_camera:=[1.0, 2.0]", "pose_to_camera = [1.0, 2.0]; expected 7 numbers: x y z qx qy qz qw"),
        ("intake.pose_to_camera:=[0, 0, 0, 0, 0, 0, 0]", "quaternion not zero"),
        ("intake.pose_to_camera:=['a', 'b', 'c', 'd', 'e', 'f', 'g']", "'g']; expected 7 numbers"),
    ],
)
def test_a_bad_value_is_refused_in_the_words_of_the_configuration(make_node, override, said):
    node = make_node("-p", override)
    with pytest.raises(BadInput) as error:
        declare(node, Config())
        declare(node, IntakeConfig(), "intake")
    assert said in str(error.value)
