# SPDX-License-Identifier: Apache-2.0
"""A recording instead of a robot: ``ros2 launch scene_r1_ros demo.launch.py sequence:=FOLDER-OR-BAG rviz:=true``.

The sequence is played as topics into the server, which then waits for goals.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

YES_NO = ["true", "false"]

ARGUMENTS = [
    DeclareLaunchArgument("sequence", description="folder or bag to play; `scene-r1 info PATH` says whether it fits"),
    DeclareLaunchArgument("rate", default_value="1.0", description="speed of the replay, times its own"),
    DeclareLaunchArgument("loop", default_value="false", choices=YES_NO, description="start again at the end"),
    DeclareLaunchArgument("namespace", default_value="", description="namespace of the nodes and all their topics"),
]


def typed(name: str, kind: type) -> ParameterValue:
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def generate_launch_description() -> LaunchDescription:
    # Its other arguments (model, params_file, rviz ...) can be given to this file as well.
    server = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(__file__).with_name("scene_r1.launch.py"))),
        launch_arguments={"namespace": LaunchConfiguration("namespace"), "use_sim_time": "true"}.items(),
    )
    replay = Node(
        package="scene_r1_ros",
        executable="replay",
        name="replay",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            {
                "sequence": typed("sequence", str),
                "rate": typed("rate", float),
                "loop": typed("loop", bool),
            }
        ],
        output="screen",
    )
    return LaunchDescription([*ARGUMENTS, server, replay])
