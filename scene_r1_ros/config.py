# SPDX-License-Identifier: Apache-2.0
"""Every setting, once: default, unit, range and help. YAML files and ROS parameters only override what stands here."""

import reprlib
import textwrap
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from scene_r1_ros.errors import BadInput

MAX_YAML_BYTES = 64 * 2**10
MAX_YAML_DEPTH = 20
MAX_INT_CHARACTERS = 1000  # the time to read an int in base 60 ("1:30:00") grows with the square of its length
MAX_SHOWN = 200  # characters of a value in a message
MAX_PROBLEM = 400  # ... of what is wrong with a file
MAX_COLUMNS = 120  # of a configuration that is printed

# Never the whole repr: lists within lists, as aliases of YAML or JSON make them, would take gigabytes.
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxset = _SHORT.maxtuple = 8
_SHORT.maxstring = _SHORT.maxother = 80


def setting(default: Any, help: str, low: float | None = None, high: float | None = None, choices: tuple = ()) -> Any:
    """A field with its explanation. ``low`` and ``high`` are inclusive."""
    return field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class BufferConfig:
    max_bytes: int = setting(512 * 2**20, "memory for keyframes, bytes; the oldest leave first", 2**20, 2**40)
    min_translation_m: float = setting(0.10, "keep a frame when the camera moved this far, metres", 0.0, 10.0)
    min_rotation_deg: float = setting(8.0, "... or turned this far, degrees", 0.0, 180.0)
    max_interval_s: float = setting(2.0, "... or this long after the last keyframe, seconds", 0.01, 3600.0)
    patience_s: float = setting(0.12, "wait this long for a sharper view of the same place, seconds", 0.0, 5.0)
    reset_jump_s: float = setting(1.0, "stamps that go back further than this start a new memory, seconds", 0.0, 3600.0)


@dataclass(frozen=True)
class ModelConfig:
    kind: str = setting("box", "which mind answers", choices=("box", "recorded", "transformers", "openai"))
    path: str = setting(
        "",
        "recorded: the file of answers; transformers: a checkpoint folder or hub name; "
        "openai: base URL of the server and name of its model, http://HOST:8000/v1#MODEL",
    )
    spec: str = setting("qwen2_5_vl", "transformers, openai: name of the YAML in config/models, or a path to one")
    device: str = setting("auto", "transformers: where it runs", choices=("auto", "cpu", "cuda"))
    vision_cache_bytes: int = setting(
        2**30, "transformers: memory for what it saw in frames, bytes; a frame of 512 tokens takes 4 to 15 MB", 0, 2**40
    )
    prefix_cache_bytes: int = setting(
        4 * 2**30,
        "transformers: memory for what it read, bytes, so that a second query about the same frames is answered at "
        "once; 32 frames of 640x480 take 0.5 GB (Qwen2.5-VL-3B) to 1.7 GB (Qwen3-VL-8B), on a CPU twice that",
        0,
        2**40,
    )
    max_output_tokens: int = setting(
        16_384, "tokens it may write for one query, over all its replies; then it is asked no more", 1, 10_000_000
    )
    connect_s: float = setting(5.0, "openai: a server that cannot be reached for so long is down, seconds", 0.1, 600.0)
    silence_s: float = setting(
        120.0, "openai: a server that sends nothing for so long, or asks to be left alone longer, has failed, seconds",
        0.1, 3600.0,
    )  # fmt: skip
    retries: int = setting(4, "openai: how often a busy server is asked again, before its first word", 0, 20)


@dataclass(frozen=True)
class TrackerConfig:
    kind: str = setting(
        "geometric", "how a box becomes masks in all views", choices=("geometric", "sam2", "transformers")
    )
    path: str = setting("", "sam2: a .pt or .safetensors file; transformers: a folder; both: or a hub name")
    device: str = setting("auto", "sam2, transformers: where it runs", choices=("auto", "cpu", "cuda"))
    max_frames: int = setting(48, "views the object is followed into, nearest in view first", 1, 10_000)


UP_AXES = ("auto", "x", "y", "z", "-x", "-y", "-z", "none")


@dataclass(frozen=True)
class LiftConfig:
    voxel_m: float = setting(0.005, "edge of the voxels the points are fused in, metres", 0.001, 0.5)
    min_depth_m: float = setting(0.15, "nearer depth is not trusted, metres", 0.0, 100.0)
    max_depth_m: float = setting(6.0, "farther depth is not trusted, metres", 0.1, 1000.0)
    edge_ratio: float = setting(
        0.05, "flying pixels: neighbours whose depth differs by this share are dropped", 0.0, 1.0
    )
    up_axis: str = setting(
        "auto",
        "world axis that points up; auto: z (REP 103), unless the cameras contradict it; none: boxes lie as they fit",
        choices=UP_AXES,
    )
    min_points: int = setting(20, "an object of fewer points is none", 1, 1_000_000)


@dataclass(frozen=True)
class VerifyConfig:
    min_reprojection_iou: float = setting(0.35, "the lifted object must cover its own box by this box IoU", 0.0, 1.0)
    max_absent_share: float = setting(
        0.5, "more of the views that should show it see through its place: it is not there", 0.0, 1.0
    )
    max_tries: int = setting(4, "boxes that are tracked and lifted before the best place wins, or none", 1, 100)
    confirmations: int = setting(
        1,
        "other frames whose box must fall on the place that wins, if boxes are found there; 0: the first wins",
        0,
        100,
    )


@dataclass(frozen=True)
class Config:
    buffer: BufferConfig = field(default_factory=BufferConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    lift: LiftConfig = field(default_factory=LiftConfig)
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    timeout_s: float = setting(60.0, "a query that takes longer is given up, seconds", 0.1, 86400.0)


def load(path: Path) -> Config:
    """A configuration from a YAML file that names only what differs from the defaults.

    Raises:
        BadInput: unreadable, an unknown name, a wrong type or a value out of range.
    """
    values = read_yaml(path, "configuration", like="like the one that `scene-r1 config` prints")
    return override(Config(), {} if values is None else values, str(path))


def shown(value: Any) -> str:
    """The repr of any value for a message, at most ``MAX_SHOWN`` characters and made in little time."""
    try:
        text = _SHORT.repr(value)
    except ValueError:  # an int of more digits than Python prints
        text = f"<{type(value).__name__} too large to show>"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def read_yaml(path: Path, what: str, max_bytes: int = MAX_YAML_BYTES, like: str = "of plain values") -> Any:
    """What a YAML file of plain values holds; ``what`` names it in messages, and ``like`` says what was expected.

    Raises:
        BadInput: it cannot be opened or read, is larger than ``max_bytes``, or nested deeper than ``MAX_YAML_DEPTH``;
            an alias of a list or mapping, with which a few lines can stand for gigabytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise BadInput(f"{what} {path} is larger than {max_bytes} bytes; is it the right file?")
        return PlainLoader(content.decode("utf-8")).get_single_data()
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(f"{what} {path} cannot be read: {_problem(error)}; expected a YAML file {like}") from error


def _problem(error: Exception) -> str:
    """What is wrong with a file, and where, in words for people."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is no text in UTF-8"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"[:MAX_PROBLEM]
    return " ".join(str(error).split())[:MAX_PROBLEM]


class PlainLoader(yaml.SafeLoader):
    """A SafeLoader whose time and memory are bounded by the size of the file."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        mark, is_alias = self.peek_event().start_mark, self.check_event(yaml.AliasEvent)
        self.depth += 1
        if self.depth > MAX_YAML_DEPTH:
            raise yaml.MarkedYAMLError(None, None, f"nested deeper than {MAX_YAML_DEPTH} levels", mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if not isinstance(node, yaml.ScalarNode):
            if is_alias:
                problem = "an alias (*name) of a list or a mapping is not read; write it out"
                raise yaml.MarkedYAMLError(None, None, problem, mark)
        elif node.tag == "tag:yaml.org,2002:int" and len(node.value) > MAX_INT_CHARACTERS:
            raise yaml.MarkedYAMLError(None, None, f"an int of more than {MAX_INT_CHARACTERS} characters", mark)
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """PyYAML lets through what bad scalars provoke: IndexError of "!!int ''", KeyError of "!!bool x"."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError) as error:
            kind = node.tag.rpartition(":")[2]
            raise yaml.MarkedYAMLError(None, None, f"{shown(node.value)} is no {kind}", node.start_mark) from error


def override(config: Any, values: Any, where: str) -> Any:
    """A copy of a dataclass of settings with some of them replaced, checked against type, range and choices."""
    if not isinstance(values, dict):
        raise BadInput(f"{where}: expected 'name: value' pairs, got {shown(values)}")
    known = {f.name: f for f in fields(config)}
    changes = {}
    for name, value in values.items():
        if name not in known:
            raise BadInput(f"{where}: unknown setting {shown(name)}; known here: {', '.join(known)}")
        current, place = getattr(config, name), f"{where}: {name}"
        if is_dataclass(current):
            changes[name] = override(current, value, place)
        else:
            changes[name] = checked(value, type(current), known[name].metadata, place)
    return replace(config, **changes)


def checked(value: Any, kind: type, rule: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**1023 else float("inf")
    if type(value) is not kind:
        raise BadInput(f"{where} = {shown(value)}; expected {kind.__name__} ({rule['help']})")
    if rule["choices"] and value not in rule["choices"]:
        raise BadInput(f"{where} = {shown(value)}; expected one of {', '.join(rule['choices'])}")
    low, high = rule["low"], rule["high"]
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise BadInput(f"{where} = {shown(value)}; expected {low} to {high} ({rule['help']})")
    return value


def dump(config: Config) -> str:
    """The whole configuration as YAML, each setting below its help."""
    return "\n".join(lines_of(config, "")) + "\n"


def lines_of(config: Any, indent: str) -> list[str]:
    lines = []
    for known in fields(config):
        value = getattr(config, known.name)
        if is_dataclass(value):
            lines += [f"{indent}{known.name}:", *lines_of(value, indent + "  ")]
        else:
            lines += textwrap.wrap(explained(known.metadata), MAX_COLUMNS, initial_indent=f"{indent}# ",
                                   subsequent_indent=f"{indent}#   ")  # fmt: skip
            quotes = '"' if isinstance(value, str) else None  # in quotes, text takes one line, whatever is in it
            scalar = yaml.safe_dump(value, default_style=quotes, width=float("inf")).splitlines()[0]
            lines.append(f"{indent}{known.name}: {scalar}")
    return lines


def explained(rule: Any) -> str:
    """The help of a setting, and what it may be."""
    allowed = ", ".join(rule["choices"]) if rule["choices"] else f"{rule['low']} to {rule['high']}"
    return f"{rule['help']} ({allowed})" if rule["choices"] or rule["low"] is not None else rule["help"]
