# SPDX-License-Identifier: Apache-2.0
import pytest

from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.reasoning.answer import answer_question
from scene_r1_ros.reasoning.image import hypotheses
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.reasoning.recorded import RecordedModel
from scene_r1_ros.reasoning.temporal import ground_in_time
from scene_r1_ros.run import Run
from test.reasoning.scripted import FIRST_NS

ANSWERS = f"""
answers:
  - query: The  Red Mug
    temporal: <think>It stands by the sink.</think><answer>2s to 4s</answer>
    image:
      {FIRST_NS + 3 * 10**9}: '<think>There.</think><answer>{{"bbox_2d": [1, 2, 30, 40], "label": "mug"}}</answer>'
      "{FIRST_NS + 4 * 10**9}": '<answer>{{"bbox_2d": [5, 6, 7, 8], "label": "mug"}}</answer>'
  - query: the blue mug
    temporal: <answer>not present</answer>
    image: {{}}
  - query: how many mugs?
    answer: <think>One by the sink.</think><answer>one</answer>
"""


@pytest.fixture
def model(tmp_path):
    return RecordedModel(written(tmp_path, ANSWERS))


def written(tmp_path, text):
    path = tmp_path / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_grounds_through_the_real_steps(model, clip):
    run = Run()
    windows = ground_in_time(model, "the red  mug", clip, run)
    found = list(hypotheses(model, "the red mug", clip, windows, run))
    assert [(h.frame.frame_id, h.box.xyxy) for h in found] == [("003000", (1, 2, 30, 40)), ("004000", (5, 6, 7, 8))]
    assert any("Not present in frame 002000 at 2.00 s" in step.text for step in run.rationale)  # no entry: not present


def test_absent_and_answer(model, clip):
    assert ground_in_time(model, "the blue mug", clip, Run()) == ()
    assert answer_question(model, "How many mugs?", clip, Run()).text == "1"


def test_streams_word_by_word_and_stops(model, clip):
    request = Request("temporal", "the red mug", clip.frames, clip.times_s)
    words = []
    whole = model.reply(request, words.append, lambda: False)
    assert len(words) > 5
    assert "".join(words) == whole.text
    assert whole.image_sizes_wh == ((64, 48),) * 10
    words.clear()
    cut = model.reply(request, words.append, lambda: len(words) == 3)
    assert cut.text == "".join(words) == "<think>It stands by"


@pytest.mark.parametrize(
    ("task", "query", "message"),
    [
        ("temporal", "a spoon", "no answer to 'a spoon' is recorded in .*; recorded queries: 'The  Red Mug', 'the"),
        ("answer", "the red mug", "recorded questions: 'how many mugs\\?'"),  # a query is no question
    ],
)  # fmt: skip
def test_what_is_not_recorded_is_named(model, clip, task, query, message):
    with pytest.raises(ModelFailed, match=message):
        model.reply(Request(task, query, clip.frames, clip.times_s), print, lambda: False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one key 'answers'"),  # empty
        ("- query: a", "expected one key 'answers'"),  # a list
        ("answers: {}", "expected one key 'answers' with a list"),  # no list
        ("answers: []\nmore: 1", "expected one key 'answers'"),  # a key too many
        ("answers:\n - [", "line 2"),  # broken YAML says its line
        ("answers:\n - !!python/object/apply:os.system [ls]", "could not determine a constructor"),  # no code is run
        ("answers: " + "[" * 2000, "nested deeper than 20 levels"),  # nested beyond reason
        ("answers: [a]", "entry 1: expected the keys query, temporal, image .*; got 'a'"),  # no mapping
        (
            "answers: [{query: a, answer: b}, {query: a}]",
            "entry 2: expected the keys .*; got .'query'.$",
        ),  # keys missing
        (
            "answers: [{query: a, answer: b, image: {}}]",
            "entry 1: .* got .'query', 'answer', 'image'.$",
        ),  # keys of both kinds
        ("answers: [{query: a, answer: 3}]", "entry 1: answer = 3; expected text"),  # a number
        ("answers: [{query: ' ', answer: b}]", "entry 1: query = ' '; expected text"),  # no query
        ("answers: [{query: a, temporal: b, image: [1]}]", r"entry 1: image = \[1\]; expected 'stamp"),  # no mapping
        ("answers: [{query: a, temporal: b, image: {x: c}}]", "image: 'x'; expected the stamp"),  # no stamp
        ("answers: [{query: a, temporal: b, image: {true: c}}]", "image: True; expected the stamp"),  # no stamp
        ("answers: [{query: a, temporal: b, image: {1.5: c}}]", "image: 1.5; expected the stamp"),  # no whole number
        (f"answers: [{{query: a, temporal: b, image: {{0x{'f' * 900}: c}}}}]", "expected the stamp"),  # huge
        ("answers: [{query: a, temporal: b, image: {5: }}]", "image: 5: None; expected text"),  # no text
        ("answers: [{query: A b, answer: c}, {query: ' a  B', answer: d}]", "entry 2: ' a  B' stands there twice"),
        (
            "answers: [" + " " * 2**20 + "]",
            "answers .* is larger than 1048576 bytes; is it the right file",
        ),  # too large
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(BadInput, match=message):
        RecordedModel(written(tmp_path, text))


def test_a_message_shows_no_more_than_a_glance(tmp_path):
    with pytest.raises(BadInput) as refused:
        RecordedModel(written(tmp_path, f"answers: [{{query: a, answer: [{'long, ' * 10_000}]}}]"))
    assert len(str(refused.value)) < 600


def test_not_all_recorded_queries_are_listed(tmp_path, clip):
    entries = "".join(f"\n  - {{query: number {i}, answer: b}}" for i in range(500))
    model = RecordedModel(written(tmp_path, "answers:" + entries))
    with pytest.raises(ModelFailed, match="'number 9' and 490 more"):
        model.reply(Request("answer", "x" * 2000, clip.frames, clip.times_s), print, lambda: False)


def test_what_is_said_can_be_encoded(tmp_path, clip):
    model = RecordedModel(
        written(tmp_path, 'answers: [{query: a, answer: "lone \\ud83d pair \\ud83d\\ude00 esc \\e[2J"}]')
    )
    said = model.reply(Request("answer", "a", clip.frames, clip.times_s), print, lambda: False)
    assert said.text == "lone \ufffd pair \U0001f600 esc \ufffd[2J"


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        RecordedModel(tmp_path / "nothing.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(BadInput, match="cannot be read"):
        RecordedModel(binary)
