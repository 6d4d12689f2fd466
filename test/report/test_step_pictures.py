# SPDX-License-Identifier: Apache-2.0
"""One answer as one picture: what is drawn lies where it is, and odd objects are drawn too."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from scene_r1_ros.answer import Answer, Check, ReasoningStep, SceneObject, Try
from scene_r1_ros.cli import app
from scene_r1_ros.config import Config
from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.geometry.gravity import Z_UP
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.report.cloud import EDGE_COLOR, NEAREST_COLOR, as_the_camera_saw, draw_cloud, from_above
from scene_r1_ros.report.overlay import BOX_COLOR, MASK_COLOR
from scene_r1_ros.report.panels import WIDTH
from scene_r1_ros.report.save import save_answer
from scene_r1_ros.report.steps import missed_steps, prompt_box, share_colors, steps, verdict_on
from scene_r1_ros.report.views import CROSS_COLOR
from scene_r1_ros.run import Run
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.sequences import write_folder
from scene_r1_ros.tracking.protocol import Prompt
from scene_r1_ros.types import Box2D, Frame, Mask
from test.scenes import BLOCK, CAMERA, clip, look_at, tight_box

CONFIG = Config()
FRAMES, TRUTHS = clip(8)
SIZE_WH = (300, 200)


class Exact:
    """Sees the block's true masks, so that what is drawn can be known."""

    def track(self, frames: Sequence[Frame], prompts: Sequence[Prompt], run: Run) -> list[tuple[Mask, ...]]:
        return [tuple(TRUTHS) for _ in prompts]


@pytest.fixture(scope="module")
def answer() -> Answer:
    mind = OperatorBox(TRUTHS[2].frame.frame_id, tight_box(TRUTHS[2]))
    return SceneR1(mind, Exact(), CONFIG).ground("the red block", FRAMES)


@pytest.fixture(scope="module")
def found(answer) -> SceneObject:
    return answer.objects[0]


def where(image: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """(N, 2) pixels x, y of a colour."""
    return np.argwhere((image == color).all(axis=2))[:, ::-1]


def test_the_picture_is_small_and_holds_what_it_promises(answer, tmp_path):
    files = save_answer(answer, FRAMES, tmp_path, CONFIG.lift, with_steps=True)
    assert files[-1] == tmp_path / "steps.png"
    Image.fromarray(steps(answer, FRAMES, CONFIG.lift)).save(tmp_path / "true_colour.png", optimize=True)
    assert files[-1].stat().st_size < 0.5 * (tmp_path / "true_colour.png").stat().st_size
    written = Image.open(files[-1])
    assert written.mode == "P" and written.width == WIDTH and 600 < written.height < 1400
    image = np.array(written.convert("RGB"))
    for color in (BOX_COLOR, MASK_COLOR, EDGE_COLOR, NEAREST_COLOR):  # none is lost with the palette
        assert len(where(image, color)) > 50
    assert len(where(image, CROSS_COLOR)) == 0


def test_a_contradiction_stands_below_the_verdict(answer):
    contradicted = replace(answer, checks=(Check("verified in 3D", False, "no other keyframe shows it"),))
    without, within = (steps(a, FRAMES, CONFIG.lift) for a in (replace(answer, checks=()), contradicted))
    line = 28  # pixels
    assert len(within) == len(without) + line and (within[:line] == without[:line]).all()
    assert (within[-600:] == without[-600:]).all() and (within[32 : 32 + line] < 100).any()


def test_it_is_written_on_request_only_and_leaves_with_its_answer(answer, tmp_path):
    save_answer(answer, FRAMES, tmp_path, CONFIG.lift, with_steps=True)
    assert "steps.png" not in [f.name for f in save_answer(answer, FRAMES, tmp_path, CONFIG.lift)]
    assert not (tmp_path / "steps.png").exists()


def test_the_command_line_writes_it(tmp_path):
    write_folder(tmp_path / "clip", FRAMES, "png")
    box = FRAMES[2].frame_id + ":" + ",".join(f"{v:g}" for v in tight_box(TRUTHS[2]).xyxy)
    words = ["ground", "the block", "-s", tmp_path / "clip", "--box", box, "-o", tmp_path / "out", "--steps"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "out" / "steps.png").width == WIDTH


def test_of_two_boxes_in_a_frame_it_is_the_one_the_mask_fills(answer, found):
    other = ReasoningStep("image", "There?", boxes=((found.source.frame_id, Box2D(0, 0, 20, 20)),))
    elsewhere = ReasoningStep("image", "There?", boxes=((FRAMES[0].frame_id, tight_box(TRUTHS[0])),))
    assert prompt_box(replace(answer, rationale=(elsewhere, *answer.rationale, other)), found) == tight_box(TRUTHS[2])
    assert prompt_box(replace(answer, rationale=(elsewhere,)), found) is None


def test_votes_run_from_dark_to_bright():
    colors = share_colors(np.linspace(0.5, 1, 20, dtype=np.float32))
    light = cv2.cvtColor(colors[None], cv2.COLOR_RGB2GRAY)[0].astype(int)
    assert (np.diff(light) >= 0).all() and light[0] < 60 and light[-1] > 190
    assert (share_colors(np.array([0.2], np.float32)) == colors[0]).all()


def test_directions_are_what_they_say(found):
    front, above = as_the_camera_saw(found), from_above(found, Z_UP)
    for direction in (front, above):
        R = direction.R_world_view
        assert np.allclose(R.T @ R, np.eye(3), atol=1e-9) and np.linalg.det(R) == pytest.approx(1)
    camera = found.source.T_world_camera
    assert front.R_world_view[:, 0] @ camera[:3, 0] > 0.9 and front.R_world_view[:, 1] @ camera[:3, 1] < -0.9
    assert np.allclose(above.R_world_view[:, 2], Z_UP)
    assert above.R_world_view[:, 1] @ (camera[:3, 3] - BLOCK.center_world) < 0  # the camera is below the picture


def test_a_camera_on_its_side_still_sees_from_above(found):
    rolled = look_at((1.0, 0.2, 0.5), BLOCK.center_world)
    rolled[:3, :2] = np.stack([rolled[:3, 1], -rolled[:3, 0]], axis=1)
    rolled[:3, :3] = np.array([[0, 0, -1.0], [0, 1, 0], [1, 0, 0]])  # x up, level
    R = from_above(replace(found, source=replace(found.source, T_world_camera=rolled)), Z_UP).R_world_view
    assert np.allclose(R[:, 2], Z_UP) and np.linalg.det(R) == pytest.approx(1)


def test_lengths_agree_with_the_scale_bar(found):
    red = np.tile(np.array([[200, 0, 0]], np.uint8), (len(found.points_world), 1))
    direction = from_above(found, Z_UP)
    image = draw_cloud(found, red, direction, SIZE_WH, with_box=False)
    assert image.shape == (SIZE_WH[1], SIZE_WH[0], 3)
    bar_px = np.ptp(where(image[-13:-11], (20, 20, 20))[:, 0])
    extent_m = np.ptp(found.points_world @ direction.R_world_view[:, :2], axis=0)
    assert np.ptp(where(image, (200, 0, 0)), axis=0) / bar_px * 0.2 == pytest.approx(extent_m, rel=0.1)


def test_what_is_nearer_hides_what_is_behind(found):
    camera = found.source.T_world_camera
    ways = BLOCK.center_world - camera[:3, 3]
    points = (camera[:3, 3] + np.stack([1.1 * ways, 0.9 * ways])).astype(np.float32)
    pair = replace(found, points_world=points, colors=np.array([[0, 0, 250], [250, 0, 0]], np.uint8),
                   object_share=np.ones(2, np.float32), box=replace(BLOCK))  # fmt: skip
    image = draw_cloud(pair, pair.colors, as_the_camera_saw(pair), SIZE_WH, with_box=False)
    assert len(where(image, (250, 0, 0))) > len(where(image, (0, 0, 250)))


def test_the_nearest_point_is_marked_within_the_box(found):
    for direction in (as_the_camera_saw(found), from_above(found, Z_UP)):
        image = draw_cloud(found, found.colors, direction, SIZE_WH, with_box=True)
        marker, box = where(image, NEAREST_COLOR), where(image, EDGE_COLOR)
        middle = marker.mean(axis=0)
        assert (middle > box.min(axis=0) - 8).all() and (middle < box.max(axis=0) + 8).all()


@pytest.mark.parametrize("up_axis", ["none", "-y"])
def test_odd_objects_are_drawn_too(answer, found, up_axis):
    nothing = Mask(FRAMES[5], np.zeros((CAMERA.height, CAMERA.width), bool), 0.0)
    point = replace(found, points_world=found.points_world[:1], colors=found.colors[:1],
                    object_share=found.object_share[:1], masks=(nothing,))  # fmt: skip
    odd = replace(answer, objects=(point,), rationale=(), query="日本 <b>" + "long " * 300)
    assert steps(odd, FRAMES, replace(CONFIG.lift, up_axis=up_axis)).shape[1] == WIDTH


def looked(answer: Answer, tries: tuple[Try, ...]) -> Answer:
    return replace(answer, status="not_found", error_code=ErrorCode.NOT_FOUND, error_msg="none held", objects=(),
                   tries=tries)  # fmt: skip


def test_what_was_tried_in_vain_is_drawn(answer, tmp_path):
    tried = Try(FRAMES[2], tight_box(TRUTHS[2]), tuple(TRUTHS[:-1]), (TRUTHS[-1],), 8, 1, ErrorCode.NOT_FOUND, "7 of 7")
    blind = Try(FRAMES[4], tight_box(TRUTHS[4]), (), (), 0, 0, ErrorCode.NOT_FOUND, "nothing there")
    files = save_answer(looked(answer, (tried, blind)), FRAMES, tmp_path, CONFIG.lift, with_steps=True)
    assert [file.name for file in files] == ["answer.json", "steps.png"]
    image = np.array(Image.open(files[-1]).convert("RGB"))
    for color in (BOX_COLOR, MASK_COLOR, CROSS_COLOR):
        assert len(where(image, color)) > 50
    one = missed_steps(looked(answer, (tried,)), FRAMES)
    assert image.shape[0] > 1.6 * one.shape[0] and image.shape[1] == WIDTH


def test_of_many_tries_the_first_are_drawn_and_the_others_counted(answer):
    tried = Try(FRAMES[2], tight_box(TRUTHS[2]), (), (), 1, 0, ErrorCode.NOT_FOUND, "no")
    assert verdict_on(tried) == "Masks (red) in 1 view. Does not hold: no"
    few, many, more = (missed_steps(looked(answer, n * (tried,)), FRAMES).shape[0] for n in (4, 5, 90))
    assert few < many == more < few + 60


def test_a_model_that_says_no_leaves_the_frames_it_was_shown(answer):
    said = ReasoningStep("temporal", "Nowhere.", frames=tuple(FRAMES[:3]))
    grey = [replace(frame, color=np.full_like(frame.color, 77)) for frame in FRAMES]
    for step, shown in ((said, FRAMES[:3]), (replace(said, stage="image", frames=(FRAMES[5],)), FRAMES[5:6])):
        image = missed_steps(replace(looked(answer, ()), rationale=(said, step)), grey)
        assert len(where(image, (77, 77, 77))) < 100 and len(where(image, BOX_COLOR)) > 20 * len(shown)  # their names
    assert len(where(missed_steps(replace(looked(answer, ()), rationale=()), grey), (77, 77, 77))) > 1000
