# SPDX-License-Identifier: Apache-2.0
"""The words a model is asked with. The prompts are the text files in ``prompts/``.

The long part, system text and frames, comes first and does not depend on the query, so that a server can keep it.
"""

import json
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from scene_r1_ros.reasoning.protocol import Request


@cache
def prompt(name: str) -> str:
    """The text of ``prompts/<name>.txt``."""
    return (files("scene_r1_ros.reasoning") / "prompts" / f"{name}.txt").read_text(encoding="utf-8").strip()


def caption(time_s: float) -> str:
    """What stands before a frame of a video, the way the Qwen family writes times."""
    return f"<{time_s:.2f} seconds>"


def instruction(request: Request) -> str:
    """What is asked about the frames, with the query in it as a JSON string."""
    start_s, end_s = (f"{time_s:.2f}" for time_s in (request.times_s[0], request.times_s[-1]))
    text = Template(prompt(request.task)).substitute(
        query=quoted(request.query), start_s=start_s, end_s=end_s, duration_s=end_s
    )
    if request.complaint:
        text += "\n\n" + Template(prompt("complaint")).substitute(complaint=quoted(request.complaint))
    return text


def messages(request: Request) -> list[dict[str, Any]]:
    """The conversation for a chat template: system text, frames with their times, then what is asked about them."""
    content: list[dict[str, str]] = []
    for time_s in request.times_s:
        if request.task != "image":
            content.append({"type": "text", "text": caption(time_s)})
        content.append({"type": "image"})
    content.append({"type": "text", "text": instruction(request)})
    return [
        {"role": "system", "content": [{"type": "text", "text": prompt("system")}]},
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
