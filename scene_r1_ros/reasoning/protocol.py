# SPDX-License-Identifier: Apache-2.0
"""The one protocol every model stands behind: frames and a sentence in, text out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from scene_r1_ros.types import Frame

Task = Literal["temporal", "image", "answer"]
# Pixels of an image at the input of the Qwen VL family, where ``max_pixels`` allows: as in the published checkpoints.
MIN_PIXELS = 56 * 56

BoxConvention = Literal["pixel", "resized_pixel", "norm_1000"]
TimeFormat = Literal["seconds", "clock"]


@dataclass(frozen=True)
class ModelSpec:
    """How a model wants to be asked and how it writes its answers. One YAML of ``config/models`` each."""

    name: str
    box_convention: BoxConvention  # of the boxes it writes: original pixels, pixels of the image it saw, or 0 to 1000
    max_frames: int  # frames of a clip in one prompt
    image_frames: int  # frames of the window that are asked for a box, one at a time: see ``scene_r1_ros.tries``
    max_pixels: int  # per frame, at the model's input
    max_new_tokens: int
    image_multiple: int = 1  # width and height at the model's input are multiples of this, pixels
    second_look_px: int = 0  # boxes whose shorter side at its input is below this are asked for again, enlarged
    time_format: TimeFormat = "seconds"  # how the time of a frame stands before it: <65.40 seconds> or <01:05.40>
    prompts: str = ""  # folder of prompts of its own; empty: those of the package
    temperature: float = 0.0  # of sampling; 0: always the likeliest token
    architecture: str = ""  # transformers: the ``model_type`` of its checkpoints; they differ in how they write boxes

    @property
    def min_pixels(self) -> int:
        """The least that an image has at the model's input."""
        return min(MIN_PIXELS, self.max_pixels)


@dataclass(frozen=True)
class Request:
    """One question to a model. ``image`` requests carry exactly one frame."""

    task: Task
    query: str
    frames: tuple[Frame, ...]  # in order of time
    times_s: tuple[float, ...]  # of each frame, seconds since the clip's first frame
    complaint: str = ""  # why the last reply to this request could not be read; the model is told


@dataclass(frozen=True)
class Reply:
    """What the model said, and what it was shown."""

    text: str
    image_sizes_wh: tuple[tuple[int, int], ...]  # of each frame as the model saw it, pixels
    input_tokens: int = 0
    cached_tokens: int = 0  # of these, already known from earlier requests
    output_tokens: int = 0
    first_token_s: float = 0.0  # from the request to its first word


class Model(Protocol):
    """A mind. ``reply`` streams what it says through ``on_text`` and ends early, with what it has, once
    ``should_stop()`` is true.

    Raises:
        ModelFailed: it could not run, with the reason and the remedy.
    """

    spec: ModelSpec

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply: ...


@runtime_checkable
class Foresighted(Model, Protocol):
    """A mind that keeps what it read, and can read before it is asked.

    ``prepare`` reads the frames of a request, ends early once ``should_stop()`` is true, and does nothing while a
    reply is under way.
    """

    def prepare(self, request: Request, should_stop: Callable[[], bool]) -> None: ...
