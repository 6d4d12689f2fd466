# SPDX-License-Identifier: Apache-2.0
"""A spoken command becomes a goal, and what came of it a sentence."""

import time

import pytest
from scene_r1_ros.action import Ask, Ground
from std_msgs.msg import String

from scene_r1_ros.ros.speech import is_question, spoken_result, thing
from test.ros.serving import spin_until

REPEAT_S = 5.0  # a person who gets no reply says it again


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
    say = speaker(client, heard)
    spin_until(client, say("how many blocks?", "1"))  # until everybody has found everybody
    for sentence, answer in [
        ("please find the red block", "I found block at"),
        ("the blue ball", "I did not find it."),
        ("   ", "I heard nothing."),
        ("the green hat", "That did not work: "),  # nobody recorded an answer to that
    ]:
        spin_until(client, say(sentence, answer), f"no reply to {sentence!r} but {heard}")


def speaker(client, heard):
    """``say(sentence, answer)`` gives a condition: the answer was heard to a sentence that is repeated now and then."""
    mouth = client.create_publisher(String, "spoken", 10)

    def say(sentence, answer):
        said_s = 0.0

        def answered():
            nonlocal said_s
            if time.monotonic() - said_s > REPEAT_S:
                said_s = time.monotonic()
                mouth.publish(String(data=sentence))
            return any(reply.startswith(answer) for reply in heard)

        return answered

    return say


def test_without_a_server_it_says_so(start, context, client):
    start("-m", "scene_r1_ros.ros.speech")
    heard = []
    client.create_subscription(String, "speech", lambda message: heard.append(message.data), 10)
    spin_until(client, speaker(client, heard)("the red mug", "I cannot look: the scene server is not running."))
