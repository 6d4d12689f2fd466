# SPDX-License-Identifier: Apache-2.0
"""Whatever a model writes gives a value or ParseFailed, never another exception, and never takes long."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_answer, parse_boxes, parse_window, reasoning_of
from scene_r1_ros.text import clean_text
from scene_r1_ros.types import TimeWindow
from test.reasoning.test_parse_boxes import ONE

DURATION_S = 12.5
PARSERS = (lambda text: parse_window(text, DURATION_S), parse_boxes, parse_answer)

# fmt: off
PIECES = [
    "<think>", "</think>", "<answer>", "</answer>", "< Answer >", "```json", "```", "<|im_end|>", "5s to 10s", "5s",
    "to", "from", "between", "and", "-", "00:03", "12:", "1e400", "nan", "Infinity", "not present", "not ", "none",
    ONE, '{"bbox_2d": ', "[", "]", "{", "}", "(", ")", ",", ":", '"', "'", "[1, 2, 3, 4", "(1,2),(3,4)", "'label': '",
    "null", "true", "\\", "\\u12", " ", "\n", "\x00", "\ud800", "\u0665", "\uff15", "\u79d2", "9" * 400, "-1", "1.5",
    "px", "ms", "minutes",
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
            assert failed.text == text
            assert str(failed)
            continue
        assert clean_text(result) == result if isinstance(result, str) else all(map(sound, result))


def sound(item) -> bool:
    if isinstance(item, TimeWindow):
        return 0 <= item.start_s <= item.end_s <= DURATION_S
    (x1, y1, x2, y2), label = item
    return -1e6 <= x1 < x2 <= 1e6 and -1e6 <= y1 < y2 <= 1e6 and clean_text(label, 200) == label


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES) | st.floats().map(str), max_size=12).map("".join))
def test_any_text(text):
    check(text)


def test_thousands_of_dirty_replies():
    dice = random.Random(0)
    for _ in range(4000):
        check(f"<think>a</think><answer>{''.join(dice.choices(PIECES, k=dice.randint(0, 20)))}</answer>")
        check(damaged(dice.choice(WHOLE), dice))


def damaged(text: str, dice: random.Random) -> str:
    """``text`` with up to four pieces cut out, doubled or replaced."""
    for _ in range(dice.randint(1, 4)):
        start = dice.randint(0, len(text))
        end = dice.choice([start, start + 1, start + dice.randint(0, 20), len(text)])
        text = text[:start] + dice.choice(["", text[start:end] * 2, dice.choice(PIECES)]) + text[end:]
    return text


@settings(max_examples=100, deadline=None)
@given(start_s=st.floats(0, DURATION_S), end_s=st.floats(0, DURATION_S))
def test_window_is_read_back(start_s, end_s):
    (window,) = parse_window(f"<answer>{start_s:.3f}s to {end_s:.3f}s</answer>", DURATION_S)
    assert abs(window.start_s - min(start_s, end_s)) <= 0.5e-3 + 1e-9
    assert abs(window.end_s - max(start_s, end_s)) <= 0.5e-3 + 1e-9


@pytest.mark.parametrize(
    "repeated",
    ["1", "1 ", "< ", "[", '{"a":', "[1,", "1:", "(1,2),", "start: 1 ", "1 min ", "not be ", "no a-a ", "'", "\u0663"],
)
def test_no_text_is_slow(repeated):
    """A hundred thousand characters of what makes naive patterns backtrack for longer than a test lasts."""
    check(f"<answer>{repeated * (99_000 // len(repeated))}</answer>")
