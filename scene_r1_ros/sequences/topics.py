# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag hold colour, depth, calibration and pose: given by name, or found by type and name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scene_r1_ros.errors import BadInput

IMAGES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
CAMERA_INFO = ("sensor_msgs/msg/CameraInfo",)
ODOMETRY = "nav_msgs/msg/Odometry"
POSES = ("geometry_msgs/msg/PoseStamped", "geometry_msgs/msg/PoseWithCovarianceStamped", ODOMETRY)
TYPES = {"color": IMAGES, "depth": IMAGES, "camera_info": CAMERA_INFO, "pose": POSES}
VIDEO = ("/theora", "/ffmpeg", "/zstd")  # need the frames before, or another decoder


@dataclass(frozen=True)
class Topics:
    """Names of the topics to read; None is found by type and name."""

    color: str | None = None
    depth: str | None = None
    camera_info: str | None = None  # of the colour image
    pose: str | None = None  # of the colour camera's optical frame


@dataclass(frozen=True)
class Chosen:
    """The four topics of a sequence."""

    color: str
    depth: str
    camera_info: str
    pose: str


def choose(types: Mapping[str, str], given: Topics, notes: list[str]) -> Chosen:
    """Pick the topics of a bag from ``types`` (name -> type). ``notes`` receives every choice that was a guess.

    Raises:
        BadInput: a given topic is absent or of another type, or one of the four cannot be found.
    """
    color = given_or_best(types, given, "color", color_score, notes)
    depth = given_or_best(types, given, "depth", depth_score, notes)
    camera_info = given_or_best(types, given, "camera_info", lambda name: info_score(name, color), notes)
    pose = given_or_best(types, given, "pose", lambda name: pose_score(name, types[name]), notes)
    return Chosen(color, depth, camera_info, pose)


def given_or_best(
    types: Mapping[str, str], given: Topics, role: str, score: Callable[[str], int], notes: list[str]
) -> str:
    name = getattr(given, role)
    if name is not None:
        if types.get(name) not in TYPES[role]:
            raise BadInput(
                f"{role} topic {name!r} is {types.get(name, 'not in the bag')}; "
                f"expected one of {', '.join(TYPES[role])}. {listing(types)}"
            )
        return name
    scores = {name: score(name) for name, type_ in types.items() if type_ in TYPES[role] and score(name) > 0}
    if not scores:
        raise BadInput(
            f"the bag has no {role} topic ({', '.join(TYPES[role])}); record it, or name it. {listing(types)}"
        )
    best = [name for name in sorted(scores) if scores[name] == max(scores.values())]
    if len(best) > 1:
        notes.append(f"{len(best)} topics could be {role} ({', '.join(best)}); took {best[0]}: name another if wrong")
    return best[0]


def listing(types: Mapping[str, str]) -> str:
    return "It holds: " + (", ".join(f"{name} ({type_})" for name, type_ in sorted(types.items())) or "nothing")


def color_score(name: str) -> int:
    """A topic called colour wins over one of no particular name; raw pixels win over compressed ones."""
    stream = stream_of(name)
    if stream == "depth" or name.endswith(("/compressedDepth", *VIDEO)):
        return 0
    other = any(word in name.lower() for word in ("infra", "/ir", "mask", "label", "debug", "disparity"))
    return 3 + 4 * (stream == "color") - 2 * other + (base_topic(name) == name)


def depth_score(name: str) -> int:
    """Depth registered to colour wins over the depth camera's own."""
    if stream_of(name) != "depth" or name.endswith(VIDEO) or "confidence" in name:
        return 0
    registered = any(word in name.lower() for word in ("aligned", "registered", "to_color", "to_rgb"))
    return 1 + 4 * registered + (base_topic(name) == name)


def info_score(name: str, color: str) -> int:
    """The camera_info beside the image (image_transport's rule) wins; one of a depth camera is not ours."""
    beside = base_topic(color).rpartition("/")[0] + "/camera_info"
    return 4 if name == beside else int(stream_of(name) != "depth")


def pose_score(name: str, type_: str) -> int:
    """Odometry is mostly of the robot's base, so any pose of a camera comes first."""
    return 1 + 4 * ("camera" in name.lower() or "optical" in name.lower()) + (type_ != ODOMETRY)


def stream_of(name: str) -> str:
    """ "color", "depth" or "", by the last such word: depth_cam/rgb/image is colour, aligned_depth_to_color depth."""
    words = re.findall("depth|colou?r|rgb", re.sub("to_(color|rgb)", "", base_topic(name).lower()))
    return "" if not words else "depth" if words[-1] == "depth" else "color"


def base_topic(name: str) -> str:
    """The image topic behind one of its image_transport variants."""
    return re.sub("/(compressed|compressedDepth|theora|ffmpeg|zstd)$", "", name)
