# SPDX-License-Identifier: Apache-2.0
"""Whatever a model writes gives a value or ParseFailed, never another exception, and never takes long."""

import json
import os
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_answer, parse_boxes, parse_window, reasoning_of
from scene_r1_ros.text import clean_text
from scene_r1_ros.types import TimeWindow
from test.reasoning.test_parse_boxes import ONE

DURATION_S = 12.5
DIRTY_REPLIES = int(os.environ.get("DIRTY_REPLIES", "2000"))  # for a thorough run, 10000 and more
QUESTION = "How many are in it? (A) 5s to 10s (B) three"
PARSERS = (
    lambda text: parse_window(text, DURATION_S),
    parse_boxes,
    parse_answer,
    lambda text: parse_answer(text, QUESTION),
    lambda text: parse_answer(text, "how many?"),
    lambda text: parse_answer(text, "is there one?"),
)

# fmt: off
PIECES = [
    "<think>", "</think>", "<answer>", "</answer>", "< Answer >", "```json", "```", "<|im_end|>", "5s to 10s", "5s",
    "to", "from", "between", "and", "-", "00:03", "12:", "1e400", "nan", "Infinity", "not present", "not ", "none",
    ONE, '{"bbox_2d": ', "[", "]", "{", "}", "(", ")", ",", ":", '"', "'", "[1, 2, 3, 4", "(1,2),(3,4)", "'label': '",
    "null", "true", "\\", "\\u12", " ", "\n", "\x00", "\ud800", "\u0665", "\uff15", "\u79d2", "9" * 400, "-1", "1.5",
    "px", "ms", "minutes", "1h", "1,234", "# ", "//", "/*", "~~~", "(B)", "B.", "Answer: ", "\\boxed{", '"x1": ',
    "null}", "\u200b", "no mug is visible", "until", "\u060c", "\u2026", "three", '{"start": 5, ', '"end": 10',
]
# fmt: on
WHOLE = ["<think>It stands there.</think><answer>5s to 10s</answer>", f"<think>[1, 2]</think><answer>[{ONE}]</answer>"]


def check(text: str) -> None:
    """What holds for every text, so that nothing behind the parsers has to look again."""
    assert clean_text(reasoning_of(text)) == reasoning_of(text)
    for parse in PARSERS:
        try:
            result = parse(text)
        except ParseFailed as failed:
            assert failed.text == text[:100_000]
            assert str(failed)
            continue
        assert clean_text(result) == result if isinstance(result, str) else all(map(sound, result))


def sound(item) -> bool:
    if isinstance(item, TimeWindow):
        return 0 <= item.start_s <= item.end_s <= DURATION_S
    (x1, y1, x2, y2), label = item
    return -1e6 <= x1 < x2 <= 1e6 and -1e6 <= y1 < y2 <= 1e6 and clean_text(label, 200) == label


dirt = st.lists(st.sampled_from(PIECES) | st.floats().map(str) | st.text(max_size=5), max_size=14).map("".join)
answers = dirt.map(lambda body: f"<think>a</think><answer>{body}</answer>")
damaged = st.builds(
    lambda text, cuts: reduce(lambda t, cut: t[: cut[0]] + cut[2] + t[cut[0] + cut[1] :], cuts, text),
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 20), st.sampled_from(["", *PIECES])), min_size=1, max_size=4),
)


@settings(max_examples=DIRTY_REPLIES, deadline=None, database=None)
@given(answers | damaged | dirt | st.text(max_size=60))
def test_any_text(text):
    check(text)


seconds = st.floats(0, DURATION_S)
WINDOW_WRITERS = (
    lambda start, end: f"{start!r}s to {end!r}s",
    lambda start, end: f"from {start!r} to {end!r} seconds",
    lambda start, end: json.dumps([start, end]),
    lambda start, end: json.dumps({"start": start, "end": end}, indent=1),
    lambda start, end: str({"start_time": start, "end_time": end}),
)


@settings(max_examples=100, deadline=None)
@given(start_s=seconds, end_s=seconds, write=st.sampled_from(WINDOW_WRITERS))
def test_window_is_read_back_exactly(start_s, end_s, write):
    (window,) = parse_window(f"<answer>{write(start_s, end_s)}</answer>", DURATION_S)
    assert (window.start_s, window.end_s) == (min(start_s, end_s), max(start_s, end_s))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(seconds, seconds).map(sorted).map(tuple), min_size=1, max_size=5, unique=True))
def test_windows_are_read_back_exactly(pairs):
    windows = parse_window(f"<answer>{', '.join(f'{a!r}s to {b!r}s' for a, b in pairs)}</answer>", DURATION_S)
    assert [(window.start_s, window.end_s) for window in windows] == pairs


corners = st.tuples(*[st.floats(-1e5, 1e5)] * 4).filter(lambda c: c[0] < c[2] and c[1] < c[3] and max(map(abs, c)) > 1)
labels = st.from_regex(r"a [a-zA-Z0-9]{1,20}", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(corners, labels), min_size=1, max_size=4, unique=True), st.sampled_from([None, 2]))
def test_boxes_are_read_back_exactly(said, indent):
    objects = json.dumps([{"bbox_2d": xyxy, "label": label} for xyxy, label in said], indent=indent)
    boxes = parse_boxes(f"```json\n<answer>{objects}</answer>\n```")
    assert list(boxes) == said


@settings(max_examples=200, deadline=None)
@given(st.lists(corners, min_size=1, max_size=3, unique=True), st.data())
def test_a_cut_off_box_is_never_another_one(said, data):
    body = json.dumps([{"bbox_2d": xyxy, "label": "mug"} for xyxy in said])
    try:
        boxes = parse_boxes(f"<answer>{body[: data.draw(st.integers(0, len(body)))]}")
    except ParseFailed:
        return
    assert [box.xyxy for box in boxes] == said[: len(boxes)] != []


@settings(max_examples=300, deadline=None)
@given(seconds, seconds, st.data())
def test_a_cut_off_number_is_never_a_shorter_one(start_s, end_s, data):
    """However a well-formed answer is cut off: it is read as a whole or not at all."""
    body = data.draw(st.sampled_from(WINDOW_WRITERS))(start_s, end_s)
    text = f"<think>a</think><answer>{body}"
    text = text[: data.draw(st.integers(len(text) - len(body), len(text)))]
    try:
        (window,) = parse_window(text, DURATION_S)
    except ParseFailed:
        return
    assert (window.start_s, window.end_s) == (min(start_s, end_s), max(start_s, end_s))


@pytest.mark.parametrize(
    "repeated",
    [
        "1",
        "1 ",
        "< ",
        "[",
        '{"a":',
        "[1,",
        "1:",
        "(1,2),",
        "start: 1 ",
        "1 min ",
        "not be ",
        "no a-a ",
        "'",
        "\u0663",
        "/*",
        "# ",
        "5-",
        "1h ",
        "no ",
        "x1=1,",
        "1 2 ",
        "**",
        '"',
        "\u200b",
        "[],",
        "A ",
        "end ",
        "2 s, ",
        "'a ",
        "5s to the end ",
        "a is seen at ",
    ],
)
def test_no_text_is_slow(repeated):
    """A hundred thousand characters of what makes naive patterns backtrack for longer than a test lasts."""
    check(f"<answer>{repeated * (99_000 // len(repeated))}</answer>")
