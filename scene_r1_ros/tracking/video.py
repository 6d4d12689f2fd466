# SPDX-License-Identifier: Apache-2.0
"""What the learned trackers share: the clip as their model sees it, the order of frames, and masks out of logits."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from scene_r1_ros.config import TrackerConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.protocol import Prompt
from scene_r1_ros.tracking.views import check_prompts, nearest_views
from scene_r1_ros.types import Frame, Mask

# Mean and standard deviation of ImageNet, which every published SAM 2 and EdgeTAM was trained with.
MEAN_RGB, STD_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Pixels:
    """The frames as a model sees them, each made when it is asked for: a sequence of (3, side, side) float32 tensors.

    Stands where the libraries keep the tensors of a whole video, 12 MB a frame at 1024 pixels.
    """

    def __init__(self, frames: Sequence[Frame], side: int):
        self.frames = frames
        self.side = side

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Any:
        import torch

        rgb = torch.from_numpy(self.frames[index].color.copy()).permute(2, 0, 1).float() / 255
        mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN_RGB, STD_RGB))
        return (resized(rgb, (self.side, self.side)) - mean) / std


class Seen(NamedTuple):
    """What a model makes of one object in one frame, as torch tensors."""

    mask_logits: Any  # (h, w), above 0 where the object is
    object_logit: Any  # one value, above 0 where the object is in the frame


class Session(Protocol):
    """One clip under way in a model. Objects are numbered as their prompts; frames by their place in the clip."""

    def prompt(self, number: int, index: int, prompt: Prompt) -> Seen:
        """Point at an object in its own frame."""
        ...

    def follow(self, number: int, index: int, reverse: bool) -> Seen:
        """Find a known object in the frame after the last one, or before it (``reverse``)."""
        ...


class LearnedTracker:
    """The frame of a tracker around ``_session``: each object forward from its own frame to the end, then backward.

    The objects share the features of a frame, which is most of the work; a frame is encoded once in each direction.
    """

    config: TrackerConfig
    device: str

    def _session(self, frames: Sequence[Frame]) -> Session:
        raise NotImplementedError

    def track(self, frames: Sequence[Frame], prompts: Sequence[Prompt], run: Run) -> list[tuple[Mask, ...]]:
        import torch

        clip = chosen_frames(frames, prompts, self.config.max_frames)
        try:
            with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
                found = follow_all(self._session(clip), clip, prompts, run)
        except torch.OutOfMemoryError as error:
            raise ModelFailed(
                f"the tracker ran out of memory on {self.device} with {len(prompts)} objects: {error}; "
                "use a smaller checkpoint, or tracker.device: cpu"
            ) from error
        return [tuple(masks[index] for index in sorted(masks)) for masks in found]


def chosen_frames(frames: Sequence[Frame], prompts: Sequence[Prompt], max_frames: int) -> list[Frame]:
    """The frames nearest in view to each prompt's own, ``max_frames`` for each, in order of time.

    Raises:
        BadInput: a mask without pixels, or a prompt whose frame is not among ``frames``.
    """
    check_prompts(frames, prompts)
    chosen: set[int] = set()
    for prompt in prompts:
        near = [prompt.frame, *nearest_views(frames, prompt.frame)]
        chosen.update(id(frame) for frame in near[:max_frames])
    return [frame for frame in frames if id(frame) in chosen]


def follow_all(session: Session, clip: Sequence[Frame], prompts: Sequence[Prompt], run: Run) -> list[dict[int, Mask]]:
    """For each prompt, the masks by place in the clip."""
    place = {id(frame): index for index, frame in enumerate(clip)}
    sources = [place[id(prompt.frame)] for prompt in prompts]
    found: list[dict[int, Mask]] = [{} for _ in prompts]
    n_steps = 2 * len(clip)
    for step in range(n_steps):
        reverse = step >= len(clip)
        index = n_steps - 1 - step if reverse else step
        for number, (source, prompt) in enumerate(zip(sources, prompts, strict=True)):
            run.check()
            if index == source and not reverse:
                mask = prompted_mask(session.prompt(number, index, prompt), prompt)
            elif index != source and (index < source) == reverse:
                mask = as_mask(session.follow(number, index, reverse), clip[index])
            else:
                continue
            if mask is not None:
                found[number][index] = mask
        run.report((step + 1) / n_steps)
    return found


def prompted_mask(seen: Seen, prompt: Prompt) -> Mask | None:
    """The mask of the prompt's own frame: what was drawn, or what the model sees in the box."""
    return prompt if isinstance(prompt, Mask) else as_mask(seen, prompt.frame)


def as_mask(seen: Seen, frame: Frame) -> Mask | None:
    """At the size of the image; None where the model says that the object is absent.

    The confidence is the probability that the object is there, times the mean probability of the mask's pixels.
    """
    if not seen.object_logit > 0:  # NaN is no object either
        return None
    logits = resized(seen.mask_logits.float()[None], frame.color.shape[:2])[0]
    inside = logits > 0
    if not inside.any():
        return None
    confidence = float(seen.object_logit.float().sigmoid() * logits[inside].sigmoid().mean())
    return Mask(frame, inside.cpu().numpy(), confidence)


def resized(maps: Any, size_hw: tuple[int, ...]) -> Any:
    """(C, h, w) float tensor at another size, bilinear; smoothed first where it shrinks."""
    from torch.nn.functional import interpolate

    return interpolate(maps[None], size=size_hw[:2], mode="bilinear", align_corners=False, antialias=True)[0]


def box_corners(prompt: Prompt, side: int) -> Any:
    """(2, 2) float32 tensor: the corners (x, y) of the prompt's box, in pixels of the square image the model sees.

    Raises:
        BadBox: the box lies outside the image.
    """
    import torch

    if isinstance(prompt, Mask):
        raise TypeError("a mask is no box")
    width, height = prompt.frame.camera.width, prompt.frame.camera.height
    box = prompt.box.clipped(width, height)
    corners = torch.tensor([[box.x1, box.y1], [box.x2, box.y2]], dtype=torch.float32)
    return corners * side / torch.tensor([width, height])


def drawn_pixels(mask: Mask, side: int) -> Any:
    """(side, side) float32 tensor of 0 and 1: a drawn mask as the model sees it; a thin one does not vanish."""
    import torch

    share = resized(torch.from_numpy(mask.pixels.copy())[None].float(), (side, side))[0]
    return (share >= min(0.5, float(share.max()))).float()


def forgotten(kept: Sequence[int], index: int, source: int, reach: int, reverse: bool) -> list[int]:
    """Which of the kept frames no later step looks back at, after the step at ``index``.

    A step looks at most ``reach`` frames back, or ahead when it goes backward. Going backward begins at ``source``, the
    prompt's own frame, and looks at what came after it then.
    """
    if reverse:
        return [i for i in kept if i - index > reach]
    return [i for i in kept if index - i > reach and i - source > reach]
