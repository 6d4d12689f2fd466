# SPDX-License-Identifier: Apache-2.0
"""Goals that meet a mind that is still thinking: a random checkpoint of the real architecture talks without end."""

import threading
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest
import yaml
from builtin_interfaces.msg import Duration

from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.resources import share
from scene_r1_ros.ros.client import GoalRejected, SceneR1Client
from scene_r1_ros.ros.goals import MAX_WAITING, Goals
from scene_r1_ros.run import Run
from test.ros.processes import wait_until
from test.ros.serving import TRUTHS, spin_until
from test.scenes import tight_box


@pytest.fixture
def talkative(serve, tiny_qwen, tmp_path):
    """``talkative(policy)`` starts a server whose model stops only when it is told to."""
    spec = yaml.safe_load(share("config/models/qwen2_5_vl.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "talkative.yaml"
    path.write_text(yaml.safe_dump(spec | {"max_frames": 2, "max_new_tokens": 30_000}), encoding="utf-8")

    def run(policy: str, walked: bool = True):
        parameters = {"model.kind": "transformers", "model.path": tiny_qwen, "model.spec": path, "model.device": "cpu"}
        return serve(walked, goal_policy=policy, **parameters)

    return run


@pytest.fixture
def other(context) -> Iterator[SceneR1Client]:
    made = SceneR1Client("other_client", context=context)
    yield made
    made.destroy_node()


def wait_until_it_thinks(client: SceneR1Client) -> None:
    """Until the model is at its answer; loading it takes its time where other tests run too."""

    def thinking():
        return client.get_feedback() and client.get_feedback().stage == "answer"

    spin_until(client, thinking, "the model was never asked", deadline_s=60.0)


def test_cancel_stops_the_model_and_the_node_lives_on(talkative, client):
    server = talkative("queue")
    client.ask("what is there?")
    wait_until_it_thinks(client)
    feedback = client.get_feedback()
    assert 0 < feedback.progress <= 1 and feedback.elapsed != Duration()
    client.cancel_task()
    outcome = client.get_result()
    assert outcome.canceled and outcome.error_code == ErrorCode.CANCELED
    client.ground("that one", tight_box(TRUTHS[-1]))  # the operator's box needs no model
    assert client.get_result().found, server.log


def test_a_deadline_stops_the_model(talkative, client):
    talkative("queue")
    client.ask("what is there?", timeout_s=3.0)
    outcome = client.get_result()
    assert not outcome.succeeded and outcome.error_code == ErrorCode.TIMEOUT and "3.0 s" in outcome.error_msg


def test_who_waits_for_the_model_to_load_can_give_up(talkative, client):
    """Loading takes seconds: the deadline strikes before the model is there."""
    talkative("queue", walked=False)
    client.ask("what is there?", timeout_s=0.05)
    assert client.get_result().error_code == ErrorCode.TIMEOUT


def test_a_goal_is_let_in_or_not_at_once():
    """Two goals that arrive together must not both find the server free."""
    goals = Goals(SimpleNamespace(executor=None), "reject")
    assert [goals.admit(), goals.admit()] == [True, False]
    waiting = Goals(SimpleNamespace(executor=None), "queue")
    assert [waiting.admit() for _ in range(MAX_WAITING + 2)] == [True] * (MAX_WAITING + 1) + [False]


def test_a_goal_that_ends_makes_room_and_shutdown_leaves_nobody_behind(caplog):
    goals = Goals(SimpleNamespace(executor=None), "queue")
    for fails in (False, True):
        assert goals.admit()
        ended = goals.finish(Run(), (lambda: 1 / 0) if fails else (lambda: "done"))
        with pytest.raises(ZeroDivisionError if fails else StopIteration):
            wait_until(partial(ended.send, None), "the goal does not end")
    assert goals.admit() and goals.admit()
    begun, stop = threading.Event(), threading.Event()
    running = goals.finish(Run(), lambda: begun.set() or stop.wait())
    waiting = goals.finish(Run(), lambda: None)
    running.send(None)
    waiting.send(None)
    assert begun.wait(60)
    threading.Timer(0.1, stop.set).start()
    goals.shutdown()
    with pytest.raises(StopIteration):
        running.send(None)
    assert not caplog.records
    waiting.close()


def test_spare_work_runs_only_while_no_goal_is_there_and_yields_to_the_next():
    goals = Goals(SimpleNamespace(executor=None), "queue")
    begun, ended, runs = threading.Event(), threading.Event(), []

    def spare(run: Run) -> None:
        runs.append(run)
        begun.set()
        wait_until(run.should_stop, "nobody cancels the spare work")
        ended.set()

    goals.when_idle(spare)
    assert begun.wait(60)
    goals.when_idle(spare)  # one at a time
    assert goals.admit()
    goal = goals.finish(Run(), ended.is_set)
    with pytest.raises(StopIteration) as done:
        wait_until(partial(goal.send, None), "the goal does not end")
    assert done.value.value is True  # the spare work had ended before the goal began
    assert goals.admit()
    goals.when_idle(spare)  # not now
    goals.shutdown()
    assert len(runs) == 1


def test_spare_work_that_ends_at_once_holds_nobody_up():
    goals = Goals(SimpleNamespace(executor=None), "queue")
    for count in range(200):
        ran = threading.Event()
        goals.when_idle(lambda _, ran=ran: ran.set())
        assert ran.wait(60), count
        wait_until(lambda: goals._spare is None, "the spare work does not end")
    goals.shutdown()
    goals.when_idle(lambda _: None)  # nobody does it, and nobody minds


def test_queue_lets_the_second_goal_wait(talkative, client, other):
    talkative("queue")
    client.ask("what is there?")
    wait_until_it_thinks(client)
    other.wait_until_ready()
    other.ask("and what else?")
    assert not other.is_task_complete(wait_s=0.3) and other.get_feedback() is None
    client.cancel_task()
    wait_until_it_thinks(other)
    other.cancel_task()
    assert client.get_result().canceled and other.get_result().canceled


def test_preempt_lets_the_second_goal_take_over(talkative, client, other):
    talkative("preempt")
    client.ask("what is there?")
    wait_until_it_thinks(client)
    other.wait_until_ready()
    other.ask("and what else?")
    outcome = client.get_result()
    assert not outcome.canceled and outcome.error_code == ErrorCode.PREEMPTED and "newer goal" in outcome.error_msg
    wait_until_it_thinks(other)
    other.cancel_task()
    assert other.get_result().canceled


def test_reject_turns_the_second_goal_away(talkative, client, other):
    talkative("reject")
    client.ask("what is there?")
    wait_until_it_thinks(client)
    other.wait_until_ready()
    with pytest.raises(GoalRejected, match="goal_policy"):
        other.ask("and what else?")
    client.cancel_task()
    assert client.get_result().canceled


def test_a_server_that_dies_is_noticed(talkative, client):
    server = talkative("queue")
    client.ask("what is there?")
    wait_until_it_thinks(client)
    server.kill()
    with pytest.raises(ConnectionError, match="gone away"):
        while not client.is_task_complete():
            pass
    with pytest.raises(ConnectionError, match="gone away"):
        client.get_result()
