# SPDX-License-Identifier: Apache-2.0
"""Dirtier answers for boxes: what is read, what is refused."""

import pytest

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_boxes

BOX = (10.0, 20.0, 30.0, 40.0)
MUG = [(BOX, "mug")]
BARE = [(BOX, "")]
CUP = ((50.0, 60.0, 70.0, 80.0), "cup")
ONE, OTHER = '{"bbox_2d": [10, 20, 30, 40], "label": "mug"}', '{"bbox_2d": [50, 60, 70, 80], "label": "cup"}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"bbox": [10, 20, 30, 40], "label": "mug"}', MUG),
        ('{"bbox_2d": "[10, 20, 30, 40]", "label": "mug"}', MUG),  # a list in a string
        ('{"bbox_2d": "10 20 30 40", "label": "mug"}', MUG),
        ('{"bbox_2d": "(10, 20), (30, 40)", "label": "mug"}', MUG),
        ('{"bbox_2d": [[10, 20, 30, 40]], "label": "mug"}', MUG),
        ('{"bbox_2d": (10, 20, 30, 40), "label": "mug"}', MUG),  # a tuple
        ('{"x1": 10, "y1": 20, "x2": 30, "y2": 40, "label": "mug"}', MUG),
        ('{"x_min": 10, "y_min": 20, "x_max": 30, "y_max": 40, "label": "mug"}', MUG),
        ('{"bbox": {"xmin": 10, "ymin": 20, "xmax": 30, "ymax": 40}, "label": "mug"}', MUG),
        ('{"bbox": {"left": 10, "top": 20, "right": 30, "bottom": 40}, "label": "mug"}', MUG),
        ('{"bbox": {"top_left": [10, 20], "bottom_right": [30, 40]}, "label": "mug"}', MUG),
        ('{"bbox": {"x": 10, "y": 20, "width": 20, "height": 20}, "label": "mug"}', MUG),
        ("x1=10, y1=20, x2=30, y2=40", BARE),
        ("x1: 10, y1: 20, x2: 30, y2: 40", BARE),
        (f"{ONE}, {OTHER}", [*MUG, CUP]),  # no list around them
        (f"{ONE}\n{OTHER}", [*MUG, CUP]),
        (f"[{ONE}, {OTHER},]", [*MUG, CUP]),
        (f"[[{ONE}], [{OTHER}]]", [*MUG, CUP]),
        ('{"mug": {"bbox_2d": [10, 20, 30, 40]}}', BARE),
        (f'{{"answer": {ONE}}}', MUG),
        (f"````\n```json\n{ONE}\n```\n````", MUG),
        (f"```python\n[{ONE}]\n```", MUG),
        (f"~~~JSON\n{ONE}\n~~~", MUG),
        ('{"bbox_2d": [10, 20, 30, 40], // the mug\n "label": "mug"}', MUG),  # comments
        ('{"bbox_2d": [10, # x1\n 20, 30, 40], /* 1, 2 */ "label": "mug"}', MUG),
        ("{'bbox_2d': [10, 20, 30, 40], 'label': 'mug', 'score': None, 'seen': True}", MUG),  # Python
        ("{'bbox_2d': [10, 20, 30, 40], 'label': \"Bob's mug\"}", [(BOX, "Bob's mug")]),
        ('{"bbox_2d": [10, 20, 30, 40], "label": "mug #2 // left"}', [(BOX, "mug #2 // left")]),  # no comments
        ("10, 20, 30, 40", BARE),
        ("10 20 30 40", BARE),
        ("[10 20 30 40]", BARE),
        ("<box>10 20 30 40</box>", BARE),
        ("<box>(10,20),(30,40)</box>", BARE),
        ("bbox_2d: 10, 20, 30, 40", BARE),
        ("(10, 20) to (30, 40)", BARE),
        ("[10, 20], [30, 40]", BARE),
        ("\\boxed{[10, 20, 30, 40]}", BARE),
        ("\uff3b\uff11\uff10\uff0c\uff12\uff10\uff0c\uff13\uff10\uff0c\uff14\uff10\uff3d", BARE),  # full-width
        ("\u3010\u0967\u0966\u3001\u0968\u0966\u3001\u0969\u0966\u3001\u096a\u0966\u3011", BARE),  # Devanagari
        ("[\u0661\u0660\u060c \u0662\u0660\u060c \u0663\u0660\u060c \u0664\u0660]", BARE),  # Arabic commas
        ("[1\u200b0, 20, 30, 40]", BARE),
        ("[-10, -20, 30, 40]", [((-10, -20, 30, 40), "")]),  # out of the image: clipped later
        ("[10, 20, 30, 99999]", [((10, 20, 30, 99999), "")]),
        ('{"bbox_2d": ["1,024", 20, 1100, 40]}', [((1024, 20, 1100, 40), "")]),  # thousands, where it is clear
        ("Box: [1.0e1, 20, 30.123456789012345, 40]", [((10, 20, 30.123456789012345, 40), "")]),
        ('{"bbox_2d": [10, 20, 30, 40], "label": "the mug that is not visible in the mirror"}',
         [(BOX, "the mug that is not visible in the mirror")]),  # a label may deny anything
        ('{"bbox_2d": [0, 0, 0, 0], "label": "not present"}', []),
        ('{"bbox_2d": [], "label": "mug"}', []),
    ],
)  # fmt: skip
def test_read(body, expected):
    assert list(parse_boxes(f"<think>a</think><answer>{body}</answer>")) == expected


@pytest.mark.parametrize(
    "body",
    [
        "[1,200, 20, 30, 40]",  # five numbers
        "[0, 0, 0, 0]",  # not the agreed words
        '{"bbox_2d": ["1_0", 20, 30, 40]}',
        '{"bbox_2d": [1e999, 20, 30, 40]}',
        '{"bbox_2d": [-Infinity, 20, 30, 40]}',
        '{"bbox_2d": [null, 20, 30, 40]}',
        '{"bbox_2d": [[10, 20], [30, 40], [50, 60]]}',  # a polygon
        '{"x1": 10, "y1": 20, "x2": 30}',
        '{"x": 10, "y": 20}',  # a point
        '{"bbox": {"x": 10, "y": 20, "width": 1e400, "height": 20}}',
        '{"bbox": {"x": 10, "y": 20, "width": 0, "height": 20}}',
        "ten, twenty, thirty, forty",
        "[a, b, c, d]",
        "5s to 10s",
    ],
)
def test_refused(body):
    text = f"<answer>{body}</answer>"
    with pytest.raises(ParseFailed, match="no box in") as failed:
        parse_boxes(text)
    assert failed.value.text == text


@pytest.mark.parametrize(
    "tail",
    [
        '{"bbox_2d": [10, 20, 30, 40', "[10, 20, 30, 40", "10, 20, 30, 40", "<box>10 20 30 4", "bbox_2d: 10, 20, 30, 4",
        '{"bbox_2d": {"x1": 10, "y1": 20, "x2": 30, "y2": 40', "x1=10, y1=20, x2=30, y2=4", "(10,20),(30,4",
        '{"bbox_2d": "10 20 30 4', '{"x": 10, "y": 20, "width": 20, "height": 2', '{"bbox_2d": nul',
        "The mug is not visible",
        "[10, 20], [30, 4",
    ],
)  # fmt: skip
def test_cut_off(tail):
    with pytest.raises(ParseFailed, match="no box in"):
        parse_boxes(f"<think>a</think><answer>{tail}")


@pytest.mark.parametrize(
    "body",
    [
        "not present [10, 20, 30, 40]",
        "The mug is not visible. [10, 20, 30, 40]",
        '{"bbox_2d": [1, 2, 3, 4], "label": "none"}',
    ],
)
def test_contradictions(body):
    with pytest.raises(ParseFailed, match="and says that it is not there"):
        parse_boxes(f"<answer>{body}</answer>")


def test_fractions_are_told_to_the_model():
    with pytest.raises(ParseFailed, match="fractions of the image"):
        parse_boxes('<answer>{"bbox_2d": [0.1, 0.2, 0.3, 1.0]}</answer>')
