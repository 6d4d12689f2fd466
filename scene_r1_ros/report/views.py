# SPDX-License-Identifier: Apache-2.0
"""Frames with a box and masks drawn into them: the one that was prompted, whole, and others around their masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import MAX_CUT, N_VIEWS
from scene_r1_ros.reasoning.clip import named
from scene_r1_ros.report.overlay import BOX_COLOR, MASK_COLOR, labelled
from scene_r1_ros.report.panels import GAP, WIDTH, beside, blank
from scene_r1_ros.tracking.views import spread
from scene_r1_ros.types import Box2D, Frame, Mask

CROSS_COLOR = (220, 0, 0)
VIEW_WIDTH = (WIDTH - 6 * GAP) // 5  # the source view is as wide as two of them, and the gap between
CONTEXT = 1.8  # how much more than the mask a view shows, in each direction
MIN_CONTEXT_PX = 60


@dataclass(frozen=True, eq=False)
class Views:
    """What was seen of one object, or at one place that was tried."""

    source: Frame  # the frame it was prompted in
    box: Box2D | None  # the prompt, where it is known
    masks: tuple[Mask, ...]
    cut_masks: tuple[Mask, ...]
    first_stamp_ns: int  # where the clip's time 0 is

    def name(self, frame: Frame) -> str:
        return named(frame, (frame.stamp_ns - self.first_stamp_ns) * 1e-9)

    def row(self) -> NDArray[np.uint8]:
        """The source view, and beside it the others."""
        return beside([source_view(self), views_grid(self)])


def source_view(views: Views) -> NDArray[np.uint8]:
    """The whole frame that was prompted, with the prompt's box and the mask made from it."""
    frame, width = views.source, 2 * VIEW_WIDTH + GAP
    mask = next((m for m in views.masks if m.frame is frame), None)
    whole = (0, 0, frame.camera.width, frame.camera.height)
    image = cropped(frame, mask, whole, (width, 2 * view_height(frame) + GAP))
    image = labelled(image, f"{views.name(frame)}: the prompt's box (green)", (4, 24), 13)
    if views.box is not None:
        scale = width / frame.camera.width
        x1, y1, x2, y2 = (round(v * scale) for v in views.box.xyxy)
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), BOX_COLOR, 2)
    return image


def views_grid(views: Views) -> NDArray[np.uint8]:
    """Up to six views in order of time, two rows of three; the masks that were cut off are among them."""
    cut = spread(views.cut_masks, views.source, MAX_CUT)
    chosen = [*cut, *spread(views.masks, views.source, N_VIEWS - len(cut))]
    chosen.sort(key=lambda mask: mask.frame.stamp_ns)
    size_wh = VIEW_WIDTH, view_height(views.source)
    return grid([mask_view(mask, size_wh, views.name(mask.frame), mask in cut) for mask in chosen], size_wh)


def grid(panels: Sequence[NDArray[np.uint8]], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Up to six panels of one size in two rows of three."""
    (width, height), paper = size_wh, blank(3 * VIEW_WIDTH + 2 * GAP, 2 * size_wh[1] + GAP)
    for i, panel in enumerate(panels):
        y, x = i // 3 * (height + GAP), i % 3 * (width + GAP)
        paper[y : y + height, x : x + width] = panel
    return paper


def view_height(source: Frame) -> int:
    return round(VIEW_WIDTH * source.camera.height / source.camera.width)


def mask_view(mask: Mask, size_wh: tuple[int, int], name: str, is_cut: bool) -> NDArray[np.uint8]:
    """A view around its mask, labelled; crossed out where the mask was cut off."""
    image = cropped(mask.frame, mask, surroundings(mask, size_wh[0] / size_wh[1]), size_wh)
    text = f"{name}: {mask.confidence:.2f}"
    if is_cut:
        cv2.line(image, (0, 0), size_wh, CROSS_COLOR, 3, cv2.LINE_AA)
        cv2.line(image, (0, size_wh[1]), (size_wh[0], 0), CROSS_COLOR, 3, cv2.LINE_AA)
        text += ", cut off"
    return labelled(image, text, (4, 24), 13)


def surroundings(mask: Mask, aspect: float) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 around a mask, of the panel's aspect and inside the image; x2 and y2 exclusive."""
    camera = mask.frame.camera
    x1, y1, x2, y2 = mask.box.xyxy if mask.box else (0, 0, camera.width, camera.height)
    width = max(CONTEXT * (x2 - x1), CONTEXT * (y2 - y1) * aspect, MIN_CONTEXT_PX)
    width = min(width, camera.width, camera.height * aspect)
    height = width / aspect
    left = np.clip((x1 + x2 - width) / 2, 0, camera.width - width)
    top = np.clip((y1 + y2 - height) / 2, 0, camera.height - height)
    return int(left), int(top), int(left + width), int(top + height)


def cropped(
    frame: Frame, mask: Mask | None, window: tuple[int, int, int, int], size_wh: tuple[int, int]
) -> NDArray[np.uint8]:
    """A part of a frame at another size, its mask outlined."""
    x1, y1, x2, y2 = window
    how = cv2.INTER_AREA if size_wh[0] < x2 - x1 else cv2.INTER_LINEAR
    image = cv2.resize(frame.color[y1:y2, x1:x2], size_wh, interpolation=how)
    image = cv2.bilateralFilter(image, 7, 30, 5)  # a PNG of the camera's noise would be twice as large
    if mask is not None:
        shown = cv2.resize(mask.pixels[y1:y2, x1:x2].astype(np.float32), size_wh, interpolation=cv2.INTER_AREA)
        outlines, _ = cv2.findContours((shown > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, outlines, -1, MASK_COLOR, 2)
    return np.asarray(image, np.uint8)
