# SPDX-License-Identifier: Apache-2.0
"""Where the files beside the code lie: in the source tree, or under ``<prefix>/share`` after any kind of install."""

from pathlib import Path

from scene_r1_ros.errors import BadInput


def share(relative: str) -> Path:
    """Path of a file or folder that ships with the package, e.g. ``share("config/models")``.

    Raises:
        BadInput: it is not there, so the installation is not whole.
    """
    here = Path(__file__).resolve().parent
    bases = [here.parent] + [p / "share" / "scene_r1_ros" for p in here.parents]
    for base in bases:
        if (base / relative).exists():
            return base / relative
    raise BadInput(f"{relative} is missing beside {here}; install scene_r1_ros again (colcon build, or pip install .)")
