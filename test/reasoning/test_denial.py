# SPDX-License-Identifier: Apache-2.0
"""The many wordings of "not present", for windows and for boxes alike; and what only looks like one."""

import pytest

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_boxes, parse_window

# fmt: off
ABSENT = [
    "not present", "NOT PRESENT.", "Not present in the video.", "not_present", "not-present", "**not** present",
    '"not present"', "\uff2e\uff4f\uff54 present", "The object is not present.", "none", "None.", "null",
    "nothing", "no", "N/A",
    "absent", "[]", "{}", "[[]]", "```json\n[]\n```", '{"answer": "not present"}', '{"present": false}',
    '{"found": False}',
    '{"bbox_2d": null}', "{'bbox_2d': None}", '{"start": null, "end": null}', '{"windows": [ ]}', "it isn't here",
    "It is nowhere to be seen.", "I don't see the mug.", "I do not see it", "I can't see any mug", "I cannot find it",
    "could not be found", "I couldn't detect it", "I was unable to locate the mug", "not able to find it",
    "No mug found.",
    "no red mug detected", "No mug is visible", "no such object", "There's no mug.", "There are no mugs in the scene",
    "No match", "no results", "No bounding box", "None of the frames shows it.", "No frame shows the mug",
    "The mug is missing.",
    "It never appears.", "It doesn\u2019t appear in the clip", "it doesnt exist", "The video does not contain it.",
    "It is out of view", "The mug is not in any of the frames", "not detected", "not spotted", "was not captured",
    "\u4e0d\u5b58\u5728\u3002",
]
UNCLEAR = [
    "It may not be visible", "I am not sure", "no doubt it is visible", "no problem", "not absent",
    "unknown", "maybe", "yes",
    "present", "I cannot tell", "It is not clear", "nan", "", "?", "-", "...", "true", '{"present": true}',
    '{"mug": "red"}',
    "{", "[", "not", "not visible before 5s", "Sorry, I cannot help with that.", "the mug", "\u65e0\u6cd5\u5224\u65ad",
]
# fmt: on


@pytest.mark.parametrize("body", ABSENT)
def test_absent(body):
    text = f"<think>It is there.</think><answer>{body}</answer>"
    assert parse_window(text, 30.0) == ()
    assert parse_boxes(text) == ()


@pytest.mark.parametrize("body", UNCLEAR)
@pytest.mark.parametrize("parse", [lambda text: parse_window(text, 30.0), parse_boxes])
def test_unclear_is_not_absent(body, parse):
    with pytest.raises(ParseFailed):
        parse(f"<think>not present</think><answer>{body}</answer>")
