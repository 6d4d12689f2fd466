# SPDX-License-Identifier: Apache-2.0
"""The mind that a configuration names."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from scene_r1_ros import resources
from scene_r1_ros.config import ModelConfig, read_yaml, shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.reasoning.openai_server import ADDRESS, OpenAIServer
from scene_r1_ros.reasoning.prompting import checked_prompts
from scene_r1_ros.reasoning.protocol import BoxConvention, Model, ModelSpec, TimeFormat
from scene_r1_ros.reasoning.qwen import ARCHITECTURES, TransformersModel
from scene_r1_ros.reasoning.recorded import RecordedModel

NEEDED = {
    "recorded": "the file of answers",
    "transformers": "a checkpoint folder or hub name",
    "openai": f"a server and its model, {ADDRESS},",
}
FORMS = {  # kind and path in one word, as the command line and the launch file take them
    "recorded": "recorded:FILE",
    "transformers": "transformers:FOLDER-OR-NAME",
    "openai": f"openai:{ADDRESS}",
}

CHOICES = {
    "box_convention": get_args(BoxConvention), "time_format": get_args(TimeFormat), "architecture": ARCHITECTURES,
}  # fmt: skip
OPTIONAL = {"time_format", "prompts", "temperature"}  # of a YAML; the others differ from model to model


def load_model(config: ModelConfig) -> Model:
    """The model of a configuration, ready to reply.

    Raises:
        BadInput: a setting or a file that cannot be used.
        ModelFailed: the model cannot be loaded.
    """
    if config.kind == "box":
        raise BadInput(
            "no model is configured (model.kind = 'box'): a question needs one (recorded, transformers or openai); "
            "a query can also be answered from a box that you draw (--box FRAME:x1,y1,x2,y2, or the goal's field box)"
        )
    if not config.path:
        needed = f"needs {NEEDED[config.kind]} there (in one word: {FORMS[config.kind]})"
        raise BadInput(f"model.path is empty; model.kind = {config.kind!r} {needed}")
    if config.kind == "recorded":
        return RecordedModel(Path(config.path))
    if config.kind == "openai":
        return OpenAIServer(config, make_spec(config.spec))
    return TransformersModel(config, make_spec(config.spec))


def make_spec(name_or_path: str) -> ModelSpec:
    """How a model wants to be asked, from a YAML that ships in ``config/models`` or from one of your own.

    Raises:
        BadInput: there is no such file, or it is not exactly the fields of ``ModelSpec`` with values in range.
    """
    path = _spec_path(name_or_path)
    values = read_yaml(path, "model spec")
    names = {f.name for f in fields(ModelSpec)}
    got = set(map(str, values)) if isinstance(values, dict) else set()
    missing, unknown = names - OPTIONAL - got, got - names
    if missing or unknown:
        raise BadInput(
            f"model spec {path}: expected the keys {', '.join(sorted(names - OPTIONAL))} "
            f"(if wanted also {', '.join(sorted(OPTIONAL))}); "
            f"missing {sorted(missing)}, unknown {shown(sorted(unknown))}"
        )
    return ModelSpec(**{name: _checked(name, value, path) for name, value in values.items()})


def _spec_path(name_or_path: str) -> Path:
    if name_or_path.endswith((".yaml", ".yml")):
        return Path(name_or_path).expanduser()
    folder = resources.share("config/models")
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name_or_path not in known:
        raise BadInput(
            f"model.spec = {shown(name_or_path)}; expected one of {', '.join(known)}, or the path of a .yaml"
        )
    return folder / f"{name_or_path}.yaml"


def _checked(name: str, value: Any, path: Path) -> Any:
    expected, holds = _rule(name)
    if not holds(value):
        raise BadInput(f"model spec {path}: {name} = {shown(value)}; expected {expected}")
    if name == "prompts" and value:
        return checked_prompts(path.parent / Path(value).expanduser())
    return value


def _rule(name: str) -> tuple[str, Callable[[Any], bool]]:
    """What a key must be, in words and as a test."""
    if choices := CHOICES.get(name):
        return f"one of {', '.join(choices)}", lambda value: isinstance(value, str) and value in choices
    if name in ("name", "prompts"):
        return "text", lambda value: isinstance(value, str) and (name == "prompts" or bool(value))
    if name == "temperature":
        return (
            "0, or a number from 0.01 to 2",
            lambda value: type(value) in (int, float) and (value == 0 or 0.01 <= value <= 2),
        )
    low = 0 if name == "second_look_px" else 1
    return f"a whole number, {low} or more", lambda value: type(value) is int and value >= low
