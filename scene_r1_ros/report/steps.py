# SPDX-License-Identifier: Apache-2.0
"""One answer as one picture, step by step: masks in the views, votes on the cloud, the object with its box."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.spatial import KDTree

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.gravity import Z_UP, up_world
from scene_r1_ros.geometry.pose import distance
from scene_r1_ros.report.cloud import (
    EDGE_COLOR,
    HIDDEN_COLOR,
    NEAREST_COLOR,
    as_the_camera_saw,
    draw_cloud,
    from_above,
)
from scene_r1_ros.report.overlay import BOX_COLOR, MASK_COLOR, labelled
from scene_r1_ros.tracking.views import RADIAN_M
from scene_r1_ros.types import Answer, Box2D, Frame, Mask, SceneObject

WIDTH, GAP = 1200, 8
PAPER, INK, CROSS_COLOR = (255, 255, 255), (20, 20, 20), (220, 0, 0)
N_VIEWS, MAX_CUT = 6, 2
VIEW_WIDTH = (WIDTH - 6 * GAP) // 5  # the source view is as wide as two of them, and the gap between
CONTEXT = 1.8  # how much more than the mask a view shows, in each direction
MIN_CONTEXT_PX = 60
CLOUD_WH = (2 * VIEW_WIDTH, 270)
SIDE_WIDTH = WIDTH - 4 * GAP - 2 * CLOUD_WH[0]
MIN_SHARE = 0.5  # points below are not kept
DRAWN = (MASK_COLOR, BOX_COLOR, EDGE_COLOR, HIDDEN_COLOR, NEAREST_COLOR, CROSS_COLOR, PAPER, INK)
PHOTO_COLORS, SHARE_COLORS = 32, 12  # of the palette: photographs stay readable, and files small


def save_steps(answer: Answer, frames: Sequence[Frame], path: Path, config: LiftConfig) -> None:
    """Write the picture of ``steps`` as a small PNG, with a palette in which everything drawn keeps its colour."""
    picture = steps(answer, frames, config)
    photos = np.array(Image.fromarray(picture).quantize(PHOTO_COLORS).getpalette() or [], np.uint8).reshape(-1, 3)
    shares = share_colors(np.linspace(MIN_SHARE, 1, SHARE_COLORS, dtype=np.float32))
    palette = np.concatenate([photos, shares, DRAWN]).astype(np.uint8)
    codes, at = np.unique(picture @ (1 << 16, 1 << 8, 1), return_inverse=True)
    used = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
    nearest = KDTree(palette.astype(float)).query(used)[1].astype(np.uint8)  # Pillow's own is only about the nearest
    small = Image.fromarray(nearest[at].reshape(picture.shape[:2]), "P")
    small.putpalette(palette.tobytes())
    small.save(path, optimize=True)


def steps(answer: Answer, frames: Sequence[Frame], config: LiftConfig) -> NDArray[np.uint8]:
    """(H, 1200, 3) RGB of how the best object of an answer came about.

    1. The frame it was grounded in with the prompt's box, and its masks in up to six views spread in viewpoint; a
    mask that was cut off is crossed out. 2. The points coloured by what the views say of them. 3. The points in their
    colours, the oriented box with its size, and the nearest reachable point.

    Args:
        answer: with at least one object.
        frames: the keyframes it was found in, at least one; up is found from them.
    """
    found = answer.objects[0]
    up = up_world(frames, config.up_axis)
    directions = as_the_camera_saw(found), from_above(found, Z_UP if up is None else up)
    shares = share_colors(found.object_share)
    votes = [draw_cloud(found, shares, d, CLOUD_WH, with_box=False) for d in directions]
    clouds = [draw_cloud(found, found.colors, d, CLOUD_WH, with_box=True) for d in directions]
    views = f"{len(found.masks)} views" if len(found.masks) != 1 else "one view"
    rows = [
        heading(f"“{answer.query}”: found, confidence {found.score:.2f}", 20),
        heading(f"1. Masks (red): from the box in frame {found.source.frame_id} into {views}, here up to {N_VIEWS} "
                "others with the mask's confidence"),
        beside([source_view(answer, found), views_grid(found)]),
        heading("2. Votes: what the views say of each point"),
        beside([*votes, votes_text(found)]),
        heading("3. Object: its points, its box, and where a robot can touch it first"),
        beside([*clouds, object_text(found)]),
    ]  # fmt: skip
    return np.concatenate([*rows, blank(WIDTH, GAP)])


def blank(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), PAPER, np.uint8)


def beside(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Panels from left to right, as one row of the picture."""
    row, x = blank(WIDTH, max(panel.shape[0] for panel in panels)), GAP
    for panel in panels:
        row[: panel.shape[0], x : x + panel.shape[1]] = panel
        x += panel.shape[1] + GAP
    return row


def heading(text: str, size: int = 15) -> NDArray[np.uint8]:
    return written(blank(WIDTH, size + 12), [text], (GAP, 5), size)


def written(
    image: NDArray[np.uint8], lines: Sequence[str], corner_xy: tuple[int, int], size: int = 14
) -> NDArray[np.uint8]:
    """Lines of text from a corner downwards; what is too long is cut."""
    canvas = Image.fromarray(image)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size)
    for i, line in enumerate(lines):
        draw.text((corner_xy[0], corner_xy[1] + i * (size + 5)), " ".join(line.split()), font=font, fill=INK)
    return np.array(canvas)


def source_view(answer: Answer, found: SceneObject) -> NDArray[np.uint8]:
    """The whole frame the object was grounded in, with the prompt's box and the mask made from it."""
    frame, width = found.source, 2 * VIEW_WIDTH + GAP
    mask = next((m for m in found.masks if m.frame is frame), None)
    whole = (0, 0, frame.camera.width, frame.camera.height)
    image = cropped(frame, mask, whole, (width, 2 * view_height(found) + GAP))
    box = prompt_box(answer, found)
    if box is not None:
        scale = width / frame.camera.width
        x1, y1, x2, y2 = (round(v * scale) for v in box.xyxy)
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), BOX_COLOR, 2)
    return labelled(image, f"{frame.frame_id}: the prompt's box (green)", (4, 24), 13)


def prompt_box(answer: Answer, found: SceneObject) -> Box2D | None:
    """The box the object was grounded from: of those named in its frame, the one its mask fills best."""
    named = [box for step in answer.rationale if step.stage == "image" for frame_id, box in step.boxes
             if frame_id == found.source.frame_id]  # fmt: skip
    filled = next((m.box for m in found.masks if m.frame is found.source), None)
    return max(named, key=lambda box: box.iou(filled) if filled else 0.0, default=None)


def views_grid(found: SceneObject) -> NDArray[np.uint8]:
    """Up to six views in order of time, two rows of three; the masks that were cut off are among them."""
    cut = spread(found.cut_masks, found.source, MAX_CUT)
    chosen = [*cut, *spread(found.masks, found.source, N_VIEWS - len(cut))]
    chosen.sort(key=lambda mask: mask.frame.stamp_ns)
    height = view_height(found)
    grid = blank(3 * VIEW_WIDTH + 2 * GAP, 2 * height + GAP)
    for i, mask in enumerate(chosen):
        y, x = i // 3 * (height + GAP), i % 3 * (VIEW_WIDTH + GAP)
        panel = mask_view(mask, (VIEW_WIDTH, height), mask in cut)
        grid[y : y + height, x : x + VIEW_WIDTH] = panel
    return grid


def view_height(found: SceneObject) -> int:
    camera = found.source.camera
    return round(VIEW_WIDTH * camera.height / camera.width)


def spread(masks: Sequence[Mask], source: Frame, count: int) -> list[Mask]:
    """Of the masks in other frames, so many whose viewpoints lie farthest from the source's and from each other."""
    rest = [mask for mask in masks if mask.frame is not source]
    chosen: list[Mask] = []
    gaps, last = np.full(len(rest), np.inf), source
    for _ in range(min(count, len(rest))):
        moves = [distance(mask.frame.T_world_camera, last.T_world_camera) for mask in rest]
        gaps = np.minimum(gaps, [moved_m + RADIAN_M * turned_rad for moved_m, turned_rad in moves])
        best = int(np.argmax(gaps))
        chosen.append(rest[best])
        gaps[best], last = -np.inf, rest[best].frame
    return chosen


def mask_view(mask: Mask, size_wh: tuple[int, int], is_cut: bool) -> NDArray[np.uint8]:
    """A view around its mask, labelled; crossed out where the mask was cut off."""
    image = cropped(mask.frame, mask, surroundings(mask, size_wh[0] / size_wh[1]), size_wh)
    text = f"{mask.frame.frame_id}  {mask.confidence:.2f}"
    if is_cut:
        cv2.line(image, (0, 0), size_wh, CROSS_COLOR, 3, cv2.LINE_AA)
        cv2.line(image, (0, size_wh[1]), (size_wh[0], 0), CROSS_COLOR, 3, cv2.LINE_AA)
        text += "  cut off"
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


def share_colors(object_share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(N, 3) RGB: dark violet where as many votes say object as other, yellow where all say object (viridis)."""
    steps = np.rint(255 * np.clip((object_share - MIN_SHARE) / (1 - MIN_SHARE), 0, 1)).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(steps[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1], np.uint8)


def votes_text(found: SceneObject) -> NDArray[np.uint8]:
    """The colour bar, and how many points are agreed on."""
    share = found.object_share
    ramp = share_colors(np.linspace(MIN_SHARE, 1, SIDE_WIDTH - GAP, dtype=np.float32))
    panel = blank(SIDE_WIDTH, CLOUD_WH[1])
    panel[48:64, : len(ramp)] = ramp
    panel = written(panel, ["share of the votes", "that say: object"], (0, 4))
    panel = written(panel, [f"{MIN_SHARE}"], (0, 68))
    panel = written(panel, ["1.0"], (len(ramp) - 22, 68))
    lines = [
        f"{len(share)} points",
        f"{np.mean(share > 0.99):.0%} undisputed",
        f"{np.mean(share < 0.75):.0%} below 0.75",
    ]
    return written(panel, lines, (0, 100))


def object_text(found: SceneObject) -> NDArray[np.uint8]:
    """Size, place and evidence in words, with what the dot means."""
    box, evidence = found.box, found.evidence
    sigma_cm = 100 * np.sqrt(np.diag(found.center_covariance_m2))
    size, centre, touch = (", ".join(f"{v:.2f}" for v in xyz) for xyz in
                           (box.size_m, box.center_world, found.nearest.point_world))  # fmt: skip
    panel = written(blank(SIDE_WIDTH, CLOUD_WH[1]), ["nearest to touch"], (18, 4))
    cv2.circle(panel, (7, 13), 6, NEAREST_COLOR, -1, cv2.LINE_AA)
    lines = [
        f"at {touch} m", "", f"box {size.replace(',', ' x')} m", f"at {centre} m", f"± {sigma_cm.max():.1f} cm", "",
        f"{evidence.visible} other views show it", f"{evidence.hidden} hide it", f"{evidence.absent} see through it",
    ]  # fmt: skip
    return written(panel, lines, (0, 23))
