# SPDX-License-Identifier: Apache-2.0
"""From a path to a sequence, whatever its layout."""

from pathlib import Path

from scene_r1_ros.errors import BadInput
from scene_r1_ros.sequences.base import Sequence
from scene_r1_ros.sequences.folder import FolderSequence
from scene_r1_ros.sequences.topics import Topics
from scene_r1_ros.sequences.tum import TumSequence

BAG_SUFFIXES = (".mcap", ".db3")


def open_sequence(path: Path, topics: Topics | None = None) -> Sequence:
    """Open a recorded RGB-D walk: a folder, a TUM RGB-D folder, or a rosbag2 recording.

    Args:
        path: the folder, the bag's folder, or its .mcap or .db3 file.
        topics: for a bag, the topics to read; those not named are found.

    Raises:
        BadInput: no such path, an unknown layout, or no usable frame, with what was missing.
    """
    kind = kind_of(path)
    if kind == "bag":
        from scene_r1_ros.sequences.bag import BagSequence  # rosbags is only needed for bags

        return BagSequence(path, topics or Topics())
    if topics is not None:
        raise BadInput(f"{path} is a {kind} sequence, which has no topics; name topics only for a bag")
    return TumSequence(path) if kind == "tum" else FolderSequence(path)


def kind_of(path: Path) -> str:
    """ "folder", "tum" or "bag".

    Raises:
        BadInput: no such path, one that cannot be looked into, or none of the three.
    """
    try:
        return _kind_of(path)
    except OSError as error:
        shown = str(path) if len(str(path)) <= 200 else f"{str(path)[:200]}..."
        raise BadInput(f"{shown}: {error.strerror}; expected the path of a sequence folder or a bag") from error


def _kind_of(path: Path) -> str:
    if not path.exists():
        raise BadInput(f"{path} does not exist; expected a sequence folder or a bag")
    if path.suffix == ".bag" and path.is_file():
        raise BadInput(f"{path} is a ROS 1 bag; convert it first: rosbags-convert --src {path} --dst {path.stem}")
    if path.is_file():
        if path.suffix in BAG_SUFFIXES:
            return "bag"
    elif (path / "rgb.txt").exists():
        return "tum"
    elif (path / "camera.json").exists():
        return "folder"
    elif (path / "metadata.yaml").exists() or any(p.suffix in BAG_SUFFIXES for p in path.iterdir()):
        return "bag"
    raise BadInput(
        f"{path} is no known sequence; expected a folder with camera.json, a TUM folder with rgb.txt, "
        "a bag folder with metadata.yaml, or an .mcap or .db3 file"
    )
