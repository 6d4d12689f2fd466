# SPDX-License-Identifier: Apache-2.0
"""A spoken command becomes a goal, and what came of it a sentence."""

import pytest
from scene_r1_ros.action import Ask, Ground
from std_msgs.msg import String

from scene_r1_ros.ros.speech import is_question, spoken_result, thing
from test.ros.serving import spin_until


@pytest.mark.parametrize(
    ("sentence", "wants_words"),
    [
        ("how many chairs are there?", True),
        ("Is there a mug", True),
        ("what colour is the sofa", True),
        ("the red mug left of the sink", False),
        ("find the red mug", False),
        ("where is the red mug?", False),  # it wants the mug, not words
        ("could you find the mug?", False),
        ("can you see a mug", True),
        ("please tell me how many chairs there are", True),
        ("the thing that is on the table", False),
    ],
)
def test_a_question_is_told_from_a_thing(sentence, wants_words):
    assert is_question(sentence) == wants_words


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("please find the red mug.", "the red mug"),
        ("Where is the red mug?", "the red mug"),
        ("can you show me the chair", "the chair"),
        ("the chair", "the chair"),
        ("find", "find"),
    ],
)
def test_courtesy_is_taken_off(sentence, name):
    assert thing(sentence) == name


@pytest.mark.parametrize("kind", [Ground, Ask])
def test_an_empty_result_is_no_answer(kind):
    """What a client gets when the server ends a goal without a word."""
    assert spoken_result(kind.Result(), False) == "That did not work: the server gave no reason."


def test_a_spoken_command_is_answered_aloud(serve, start, client):
    serve()
    start("-m", "scene_r1_ros.ros.speech")
    heard = []
    client.create_subscription(String, "speech", lambda message: heard.append(message.data), 10)
    mouth = client.create_publisher(String, "spoken", 10)
    spin_until(client, lambda: mouth.get_subscription_count() and client.count_publishers("speech"))
    for sentence, answer in [
        ("please find the red block", "I found block at"),
        ("how many blocks?", "1"),
        ("the blue ball", "I did not find it."),
        ("   ", "I heard nothing."),
        ("the green hat", "That did not work: "),  # nobody recorded an answer to that
    ]:
        mouth.publish(String(data=sentence))
        spin_until(client, lambda: heard, f"no reply to {sentence!r}")
        assert heard.pop().startswith(answer)


def test_without_a_server_it_says_so(start, context, client):
    start("-m", "scene_r1_ros.ros.speech")
    heard = []
    client.create_subscription(String, "speech", lambda message: heard.append(message.data), 10)
    mouth = client.create_publisher(String, "spoken", 10)
    spin_until(client, lambda: mouth.get_subscription_count() and client.count_publishers("speech"))
    mouth.publish(String(data="the red mug"))
    spin_until(client, lambda: heard)
    assert "server is not running" in heard[0]
