# SPDX-License-Identifier: Apache-2.0
"""The server on a robot: ``ros2 launch scene_r1_ros scene_r1.launch.py model:=transformers:CHECKPOINT``.

Every name is relative, so ``namespace:=robot1`` makes room for a second robot. The file given as ``params_file`` holds
any parameter of the node; an argument given here wins over it.
"""

import os
from posixpath import dirname, join
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

# Fast DDS 2 (Jazzy and older) and 3 (Kilted and newer).
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
YES_NO = ["true", "false"]
LOG_LEVELS = ["debug", "info", "warn", "error", "fatal"]
POSE_TYPES = ["", "pose", "pose_with_covariance", "odometry", "tf"]

ARGUMENTS = [
    DeclareLaunchArgument(
        "model",
        default_value="",
        description="which mind answers: recorded:FILE, transformers:FOLDER-OR-HUB-NAME or "
        "openai:http://HOST:8000/v1#MODEL; "
        "empty: as params_file says, else only boxes drawn by the operator",
    ),
    DeclareLaunchArgument("rgb", default_value="rgb/image", description="topic of the colour images"),
    DeclareLaunchArgument("depth", default_value="depth/image", description="topic of the depth images, registered"),
    DeclareLaunchArgument(
        "info", default_value="", description="topic of the camera_info; empty: camera_info beside the colour images"
    ),
    DeclareLaunchArgument("pose", default_value="pose", description="topic of the poses; unused by pose_type tf"),
    DeclareLaunchArgument(
        "pose_type",
        default_value="",
        choices=POSE_TYPES,
        description="what topic pose carries, or tf; empty: as params_file says, else pose (PoseStamped)",
    ),
    DeclareLaunchArgument("params_file", default_value="", description="YAML file of ROS parameters; empty: none"),
    DeclareLaunchArgument("namespace", default_value="", description="namespace of the nodes and all their topics"),
    DeclareLaunchArgument("use_sim_time", default_value="false", choices=YES_NO, description="take the time of /clock"),
    DeclareLaunchArgument("log_level", default_value="info", choices=LOG_LEVELS, description="of the server"),
    DeclareLaunchArgument("rviz", default_value="false", choices=YES_NO, description="open RViz with what is found"),
]


def parameters(value: dict[str, str]) -> list[Any]:
    """What the server is given, the later winning: the params file, then what stands on the command line."""
    given: dict[str, Any] = {"use_sim_time": value["use_sim_time"] == "true"}
    if value["model"]:
        kind, _, path = value["model"].partition(":")
        given |= {"model.kind": kind, "model.path": path}
    if value["pose_type"]:
        given["intake.pose_type"] = value["pose_type"]
    return [*([value["params_file"]] if value["params_file"] else []), given]


def server(context: LaunchContext) -> list[Node]:
    value = {argument.name: context.launch_configurations[argument.name] for argument in ARGUMENTS}
    return [
        Node(
            package="scene_r1_ros",
            executable="server",
            name="scene_r1",
            namespace=value["namespace"],
            parameters=parameters(value),
            remappings=[
                ("rgb/image", value["rgb"]),
                ("depth/image", value["depth"]),
                ("rgb/camera_info", value["info"] or join(dirname(value["rgb"]), "camera_info")),
                ("pose", value["pose"]),
            ],
            arguments=["--ros-args", "--log-level", value["log_level"]],
            output="screen",
        )
    ]


def rviz() -> Node:
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),
        arguments=["-d", PathJoinSubstitution([FindPackageShare("scene_r1_ros"), "rviz", "scene_r1.rviz"])],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )


def transport(_: LaunchContext) -> list[SetEnvironmentVariable]:
    """With Fast DDS's default transports most large images are lost between processes, silently.

    What the operator has chosen stays. The camera's driver must be started with the same setting.
    """
    if any(os.environ.get(name) for name in (*PROFILES, "FASTDDS_BUILTIN_TRANSPORTS")):
        return []
    profile = join(get_package_share_directory("scene_r1_ros"), "config", "fastdds.xml")
    return [SetEnvironmentVariable(name, profile) for name in PROFILES]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=transport), OpaqueFunction(function=server), rviz()])
