# SPDX-License-Identifier: Apache-2.0
"""A second look: a camera of the same pose that sees only a part of the image, enlarged."""

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera


def close_up(
    camera: PinholeCamera, box_xyxy: tuple[float, float, float, float], size_wh: tuple[int, int]
) -> PinholeCamera:
    """The camera whose image of ``size_wh`` pixels is the part ``box_xyxy`` of the image of ``camera``.

    A pixel (u, v) of ``camera`` is at ((u + 0.5 - x1) * width / (x2 - x1) - 0.5, ...) of the new one: corners of boxes,
    which count from the border of the image, go to (x - x1) * width / (x2 - x1).

    Args:
        box_xyxy: within the image, x2 and y2 exclusive; a part of a pixel is one, too.

    Raises:
        BadInput: a box without area or outside the image, or a size that is not positive.
    """
    x1, y1, x2, y2 = box_xyxy
    width, height = size_wh
    if width < 1 or height < 1:
        raise BadInput(f"a close-up of {width}x{height} pixels; ask for at least 1x1")
    if not (0 <= x1 < x2 <= camera.width and 0 <= y1 < y2 <= camera.height):
        raise BadInput(
            f"close-up of {list(box_xyxy)} in an image of {camera.width}x{camera.height}; "
            "give x1 < x2 and y1 < y2 inside of it"
        )
    sx, sy = width / (x2 - x1), height / (y2 - y1)
    return PinholeCamera(
        width,
        height,
        camera.fx * sx,
        camera.fy * sy,
        (camera.cx + 0.5 - x1) * sx - 0.5,
        (camera.cy + 0.5 - y1) * sy - 0.5,
    )
