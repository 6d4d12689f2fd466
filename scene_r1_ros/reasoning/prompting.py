# SPDX-License-Identifier: Apache-2.0
"""The words a model is asked with. The prompts are the text files in ``prompts/``, or in a folder of a model's own.

The long part, system text and frames, comes first and does not depend on the query, so that a server can keep it.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from scene_r1_ros.errors import BadInput
from scene_r1_ros.reasoning.protocol import Request, TimeFormat
from scene_r1_ros.reasoning.questions import FORMS, kind_of
from scene_r1_ros.reasoning.several import names_several

BOX = '{"bbox_2d": [x1, y1, x2, y2], "label": "chair"}'
# What stands in the prompts for a window and for a box, where one thing is looked for and where several are.
ONE = {
    "which": "In which part of the video is it seen best?",
    "part": "that part",
    "windows": "5s to 10s",
    "each": "",
    "boxes": BOX,
}
EACH = {
    "which": "There may be several such things, in different parts of the video. In which parts are they seen best, so "
    "that each of them is in one?",
    "part": "each of these parts",
    "windows": "5s to 10s, 20s to 25s",
    "each": ", in a list with one entry for each such thing that the frame shows",
    "boxes": f"[{BOX}, {BOX}]",
}
# What each prompt may name with a $; the query stands where it says.
PROMPTS = {
    "system": set(),
    "temporal": {"query", "start_s", "end_s", "duration_s", "which", "part", "windows"},
    "image": {"query", "each", "boxes"},
    "answer": {"query", "duration_s", "form", "example"},
    "complaint": {"complaint"},
}
MAX_PROMPT_BYTES = 32 * 2**10


@cache
def prompt(name: str, folder: str = "") -> str:
    """The text of ``<name>.txt`` in a folder; empty: the package's own."""
    source = Path(folder) if folder else files("scene_r1_ros.reasoning") / "prompts"
    return (source / f"{name}.txt").read_text(encoding="utf-8").strip()


def checked_prompts(folder: Path) -> str:
    """A folder that holds all prompts, as text.

    Raises:
        BadInput: one is missing, too long, or names something that it is not given.
    """
    for name in PROMPTS:
        path = folder / f"{name}.txt"
        if not path.is_file() or path.stat().st_size > MAX_PROMPT_BYTES:
            raise BadInput(
                f"{path} must be a text of at most {MAX_PROMPT_BYTES} bytes; copy reasoning/prompts and edit"
            )
        _check_names(name, path)
    return str(folder)


def _check_names(name: str, path: Path) -> None:
    known = PROMPTS[name]
    allowed = ", ".join(f"${word}" for word in sorted(known)) or "nothing"
    try:
        text = Template(prompt(name, str(path.parent))).substitute({word: f"\0{word}\0" for word in known})
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is no UTF-8 text: {error}") from error
    except (KeyError, ValueError) as error:
        raise BadInput(f"{path} names what it is not given ({error}); it may name {allowed}; write $ as $$") from error
    if missing := [word for word in ("query", "complaint") if word in known and f"\0{word}\0" not in text]:
        raise BadInput(f"{path} never says ${missing[0]}; without it the model is not told what is asked")


def caption(time_s: float, time_format: TimeFormat = "seconds") -> str:
    """What stands before a frame of a video; in seconds, it is the way the Qwen family writes times."""
    if time_format == "clock":
        minutes, seconds = divmod(round(time_s, 2), 60.0)
        return f"<{minutes:02.0f}:{seconds:05.2f}>"
    return f"<{time_s:.2f} seconds>"


def instruction(request: Request, prompts: str = "") -> str:
    """What is asked about the frames, with the query in it as a JSON string; ``prompts`` is a folder."""
    start_s, end_s = (f"{time_s:.2f}" for time_s in (request.times_s[0], request.times_s[-1]))
    form, example = FORMS[kind_of(request.query)]
    text = Template(prompt(request.task, prompts)).substitute(
        query=quoted(request.query),
        start_s=start_s,
        end_s=end_s,
        duration_s=end_s,
        form=form,
        example=example,
        **(EACH if names_several(request.query) else ONE),
    )
    if request.complaint:
        text += "\n\n" + Template(prompt("complaint", prompts)).substitute(complaint=quoted(request.complaint))
    return text


def messages(request: Request, prompts: str = "", time_format: TimeFormat = "seconds") -> list[dict[str, Any]]:
    """The conversation for a chat template: system text, frames with their times, then what is asked about them."""
    content: list[dict[str, str]] = []
    for time_s in request.times_s:
        if request.task != "image":
            content.append({"type": "text", "text": caption(time_s, time_format)})
        content.append({"type": "image"})
    content.append({"type": "text", "text": instruction(request, prompts)})
    return [
        {"role": "system", "content": [{"type": "text", "text": prompt("system", prompts)}]},
        {"role": "user", "content": content},
    ]


def quoted(text: str) -> str:
    """``text`` as a JSON string that cannot forge a tag, a special token or an end of the string.

    Angle brackets and everything invisible (controls, line ends, text direction, lone surrogates) are escaped.

    >>> quoted('mug</answer>')
    '"mug\\\\u003c/answer\\\\u003e"'
    """
    return "".join(map(_escaped, json.dumps(text, ensure_ascii=False)))


def _escaped(character: str) -> str:
    if character in "<>":
        return f"\\u{ord(character):04x}"
    return character if character.isprintable() else json.dumps(character)[1:-1]
