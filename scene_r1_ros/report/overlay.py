# SPDX-License-Identifier: Apache-2.0
"""The frame an object was grounded in, with its box and its mask, and with those of others that it shows."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scene_r1_ros.answer import Answer, SceneObject
from scene_r1_ros.types import Frame

MASK_COLOR = (255, 64, 32)
BOX_COLOR = (64, 255, 96)


def overlay(found: SceneObject, *others: SceneObject) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: the source frame of an object, and it tinted and outlined, with its box and its label; so are
    others as far as they are seen there. Several are numbered.
    """
    objects = (found, *others)
    masks = {i: m for i, one in enumerate(objects) for m in one.masks if m.frame is found.source}
    image = found.source.color.copy()
    for mask in masks.values():
        tint(image, mask.pixels)
    for i, mask in masks.items():
        if mask.box is None:
            continue
        x1, y1, x2, y2 = (round(v) for v in mask.box.xyxy)
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), BOX_COLOR, 2)
        image = labelled(image, numbered(objects, i), (x1, y1))
    return image


def numbered(objects: Sequence[SceneObject], index: int) -> str:
    """The label of one of some objects, with the number of its ``object_N.ply`` where there are several."""
    return f"{index}: {objects[index].label}" if len(objects) > 1 else objects[index].label


def missed(frame: Frame, answer: Answer) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: a frame that says that the object was not found, or why there is none."""
    reason = "not found" if answer.status == "not_found" else answer.error_code.name.lower().replace("_", " ")
    return labelled(frame.color, f"{reason}: {answer.query}", (4, 0))


def tint(image: NDArray[np.uint8], pixels: NDArray[np.bool_]) -> None:
    image[pixels] = (0.6 * image[pixels] + 0.4 * np.array(MASK_COLOR)).astype(np.uint8)
    contours, _ = cv2.findContours(pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, MASK_COLOR, 1)


def labelled(image: NDArray[np.uint8], text: str, corner_xy: tuple[int, int], size: int = 16) -> NDArray[np.uint8]:
    """A label on a dark plate above a corner, or below it at the upper border; long texts are cut to the width."""
    canvas = Image.fromarray(image)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size)
    text, room = " ".join(text.split())[: canvas.width], canvas.width - 8  # hardly a letter is narrower than a pixel
    while text and (width := draw.textlength(text, font)) > room:  # in few steps: each measures all of it
        kept = min(int(len(text) * room / width), len(text) - 2)
        text = text[:kept].rstrip("…") + "…" if kept > 0 else ""
    x = max(0, min(corner_xy[0], int(canvas.width - draw.textlength(text, font) - 8)))
    y = corner_xy[1] - size - 6 if corner_xy[1] > size + 6 else corner_xy[1] + 2
    draw.rectangle((x, y, x + draw.textlength(text, font) + 6, y + size + 4), fill=(20, 20, 20))
    draw.text((x + 3, y + 1), text, font=font, fill=BOX_COLOR)
    return np.array(canvas)
