# SPDX-License-Identifier: Apache-2.0
"""The topics that common drivers and simulators publish."""

import pytest

from scene_r1_ros.sequences.topics import Topics, choose

IMAGE, PACKED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
INFO, POSE, ODOM = "sensor_msgs/msg/CameraInfo", "geometry_msgs/msg/PoseStamped", "nav_msgs/msg/Odometry"

REALSENSE = {
    "/camera/color/image_raw": IMAGE,
    "/camera/color/image_raw/compressed": PACKED,
    "/camera/color/image_raw/compressedDepth": PACKED,
    "/camera/color/camera_info": INFO,
    "/camera/depth/image_rect_raw": IMAGE,
    "/camera/depth/camera_info": INFO,
    "/camera/aligned_depth_to_color/image_raw": IMAGE,
    "/camera/aligned_depth_to_color/camera_info": INFO,
    "/camera/infra1/image_rect_raw": IMAGE,
    "/odom": ODOM,
    "/camera/pose": POSE,
}
OPENNI = {
    "/depth_cam/rgb/image_rect_color": IMAGE,
    "/depth_cam/rgb/camera_info": INFO,
    "/depth_cam/depth/image": IMAGE,
    "/depth_cam/depth_registered/image_raw": IMAGE,
    "/depth_cam/depth_registered/camera_info": INFO,
    "/slam/odometry": ODOM,
}
GAZEBO = {
    "/rgbd_camera/image": IMAGE,
    "/rgbd_camera/depth_image": IMAGE,
    "/rgbd_camera/camera_info": INFO,
    "/model/pose": POSE,
}


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (
            REALSENSE,
            ("/camera/color/image_raw", "/camera/aligned_depth_to_color/image_raw", "/camera/color/camera_info",
             "/camera/pose"),
        ),
        (
            OPENNI,
            ("/depth_cam/rgb/image_rect_color", "/depth_cam/depth_registered/image_raw", "/depth_cam/rgb/camera_info",
             "/slam/odometry"),
        ),
        (
            GAZEBO,
            ("/rgbd_camera/image", "/rgbd_camera/depth_image", "/rgbd_camera/camera_info", "/model/pose"),
        ),
        (
            {name: type_ for name, type_ in REALSENSE.items() if name != "/camera/color/image_raw"},
            ("/camera/color/image_raw/compressed", "/camera/aligned_depth_to_color/image_raw",
             "/camera/color/camera_info", "/camera/pose"),
        ),
    ],
    ids=["realsense", "openni", "gazebo", "compressed only"],
)  # fmt: skip
def test_topics_are_found(types, expected):
    notes: list[str] = []
    assert tuple(vars(choose(types, Topics(), notes)).values()) == expected
    assert notes == []


def test_a_guess_between_equals_is_noted():
    notes: list[str] = []
    chosen = choose({**GAZEBO, "/other/pose": POSE}, Topics(), notes)
    assert chosen.pose == "/model/pose"
    assert notes == ["2 topics could be pose (/model/pose, /other/pose); took /model/pose: name another if wrong"]
    notes.clear()
    assert choose({**GAZEBO, "/other/pose": POSE}, Topics(pose="/other/pose"), notes).pose == "/other/pose"
    assert notes == []
