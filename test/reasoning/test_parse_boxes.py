# SPDX-License-Identifier: Apache-2.0
"""What models write when they are asked for a box."""

import pytest

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_answer, parse_boxes

BOX = (10.0, 20.0, 30.0, 40.0)
MUG = [(BOX, "mug")]
ONE = '{"bbox_2d": [10, 20, 30, 40], "label": "mug"}'
TWO = [(BOX, "mug"), ((50.0, 60.0, 70.0, 80.0), "cup")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ONE, MUG),  # the agreed form
        (f"```json\n{ONE}\n```", MUG),  # a fence
        (f"[{ONE}]", MUG),  # a list of one
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "mug"}, {"bbox_2d": [50, 60, 70, 80], "label": "cup"}]', TWO),  # two
        (f"{ONE}\n" + '{"bbox_2d": [50, 60, 70, 80], "label": "cup"}', TWO),  # two without a list
        (f"[{ONE}, {ONE}]", MUG),  # the same twice
        ("{'bbox_2d': [10, 20, 30, 40], 'label': 'mug'}", MUG),  # single quotes
        ('{"bbox_2d": [10, 20, 30, 40,], "label": "mug",}', MUG),  # trailing commas
        ('{"bbox_2d": [10, 20, 30, 40], "label": "mug"', MUG),  # the brace is missing
        ('{"bbox_2d": [10, 20, 30, 40], "la', [(BOX, "")]),  # cut off after the box
        (f'[{ONE}, {{"bbox_2d": [50, 60', MUG),  # cut off in the second box
        ('{"label": "mug", "bbox_2d": [10, 20, 30, 40]', MUG),  # the label first, cut off
        ('{"bbox_2d": [30, 40, 10, 20], "label": "mug"}', MUG),  # corners swapped
        ('{"bbox_2d": [10, 40, 30, 20], "label": "mug"}', MUG),  # the other two corners
        ('{"bbox_2d": ["10", "20", "30", "40"], "label": "mug"}', MUG),  # numbers as strings
        ('{"bbox_2d": [10px, 20px, 30px, 40px], "label": "mug"}', MUG),  # units
        ('{"bbox_2d": [[10, 20], [30, 40]], "label": "mug"}', MUG),  # corners as pairs
        ('{"bbox_2d": {"x1": 10, "y1": 20, "x2": 30, "y2": 40}, "label": "mug"}', MUG),  # corners by name
        ('{"box": [10, 20, 30, 40], "name": "mug"}', MUG),  # other names
        ('{"objects": [{"bounding_box": [10, 20, 30, 40], "label": "mug"}]}', MUG),  # nested
        ('{"bbox_2d": [10, 20, 30, 40], "label": "mug \\ud83d"}', [(BOX, "mug \ufffd")]),  # half an emoji
        ('{"bbox_2d": [10, 20, 30, 40], "label": "mug \\ud83d\\ude00"}', [(BOX, "mug \U0001f600")]),  # a whole one
        ('"bbox_2d": [10, 20, 30, 40], "label": "mug \ud83d"', [(BOX, "mug \ufffd")]),  # ... where JSON is not read
        ('{"bbox_2d": [10, 20, 30, 40], "label": "mug\\u0000\\u001b[2J"}', [(BOX, "mug\ufffd\ufffd[2J")]),  # controls
        ('{"bbox_2d": [10, 20, 30, 40], "label": "%s"}' % ("m" * 300), [(BOX, "m" * 199 + "\u2026")]),  # long
        ('{"mug": [10, 20, 30, 40]}', [(BOX, "")]),  # the label as a key
        ("[10, 20, 30, 40]", [(BOX, "")]),  # only numbers
        ("(10, 20, 30, 40)", [(BOX, "")]),  # round brackets
        ("mug (10,20),(30,40)", [(BOX, "")]),  # corners, as Qwen2-VL writes them
        ("<|box_start|>(10,20),(30,40)<|box_end|>", [(BOX, "")]),  # ... with its tokens
        ("The mug is at [10, 20, 30, 40] in the frame [3].", [(BOX, "")]),  # a sentence
        (f"Here it is: {ONE}. I am sure.", MUG),  # a sentence around JSON
        ('{"bbox_2d": [10, 20, 30, 40], "label": "mug with [50, 60, 70, 80]"', [(BOX, "mug with [50, 60, 70, 80]")]),
        ('{"bbox_2d": [10, 20, 30, 40], "color": [1, 2, 3, 4], "label": "mug"}', MUG),  # four numbers of another kind
        ('{"bbox_2d": [\u0661\u0660, \u0662\u0660, \u0663\u0660, \u0664\u0660], "label": "mug"}', MUG),  # other digits
        ("\u201cbbox_2d\u201d: [10, 20, 30, 40], \u201clabel\u201d: \u201cmug\u201d", MUG),  # typographic quotes
        ('{"bbox_2d": [10.0, 2e1, 30.00, 40], "label": "mug"}', MUG),  # floats
        ('{"bbox_2d": [5, 5, 5, 9], "x": 1}, {"bbox_2d": [10, 20, 30, 40], "label": "mug"}', MUG),  # one without area
        ("not present", []),  # the agreed form
        ("The frame does not contain the mug.", []),  # other words
        ("The mug is not visible in this image", []),  # other words
        ("[]", []),  # an empty list
        ("```json\n[]\n```", []),  # ... in a fence
        ('{"bbox_2d": null, "label": "mug"}', []),  # null
        ('{"bbox_2d": [], "label": "mug"}', []),  # an empty box
    ],
)
def test_boxes(body, expected):
    assert list(parse_boxes(f"<think>a</think><answer>{body}</answer>")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ONE, MUG),  # no tags
        (f"<think>[1, 2, 3, 4]?</think>{ONE}", MUG),  # boxes in the reasoning do not count
        (f"<answer>[1, 2, 3, 4]</answer><answer>{ONE}</answer>", MUG),  # the last answer counts
        (f"<answer>{ONE}", MUG),  # cut off after the answer
    ],
)
def test_tags(text, expected):
    assert list(parse_boxes(text)) == expected


@pytest.mark.parametrize(
    "body",
    [
        "the mug",  # no box
        '{"bbox_2d": [10, 20, 30, 4',  # cut off inside a number
        "[10, 20, 30]",  # three numbers
        "[10, 20, 30, 40, 50]",  # five
        '{"bbox_2d": [NaN, 20, 30, 40]}',  # not a number
        '{"bbox_2d": [10, 20, Infinity, 40]}',  # infinite
        '{"bbox_2d": [10, 20, 1e300, 40]}',  # huge
        f"[10, 20, {'9' * 5000}, 40]",  # more digits than an int may have
        '{"bbox_2d": [10, 20, 10, 40], "label": "mug"}',  # no area
        '{"bbox_2d": [true, 20, 30, 40]}',  # no number
        "[" * 50_000,  # nested beyond reason
        '{"a":' * 400 + "1" + "}" * 400,  # nested, and valid
        "I cannot tell",  # neither a box nor a denial
    ],
)
def test_unreadable(body):
    text = f"<answer>{body}</answer>"
    with pytest.raises(ParseFailed, match="no box in") as failed:
        parse_boxes(text)
    assert failed.value.text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a</think><answer> three </answer>", "three"),  # the agreed form
        ("<think>a</think>three", "three"),  # no answer tags
        ("three", "three"),  # no tags
        ("<answer>```\nthree\n```</answer>", "three"),  # a fence
        ("<answer>two</answer><answer>three</answer>", "three"),  # the last counts
        ("<answer>three \ud83d</answer>", "three \ufffd"),  # half an emoji
        ("a" * 50_000, "a" * 9999 + "\u2026"),  # long
        ("three<|im_end|>", "three"),  # a special token
        ("<answer>\u4e09\uff08\u628a\uff09</answer>", "\u4e09\uff08\u628a\uff09"),  # the model's own script stays
    ],
)
def test_answer(text, expected):
    assert parse_answer(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<answer>thr", "ends inside the answer 'thr'"),  # cut off
        ("<answer>``` ```</answer>", "empty"),  # only a fence
        ("<think>thr", "still thinking"),  # cut off while thinking
        ("", "holds no answer"),  # nothing
    ],
)
def test_unreadable_answer(text, message):
    with pytest.raises(ParseFailed, match=message):
        parse_answer(text)
