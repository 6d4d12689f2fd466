# SPDX-License-Identifier: Apache-2.0
import pytest

from scene_r1_ros.errors import Canceled, DeadlineExceeded, Preempted
from scene_r1_ros.run import Run


def test_stages_are_timed_and_add_up():
    run = Run()
    for name in ("track", "lift", "track"):
        with run.stage(name):
            pass
    assert list(run.timings_s) == ["track", "lift"] and min(run.timings_s.values()) >= 0


def test_a_listener_hears_the_stage_and_the_words_of_this_stage():
    heard = []
    run = Run(on_progress=heard.append)
    with run.stage("temporal"):
        run.say("I see")
        run.say(" a mug")
    with run.stage("image"):
        pass
    assert [(p.stage, p.partial_rationale) for p in heard] == [
        ("temporal", ""), ("temporal", "I see"), ("temporal", "I see a mug"), ("image", ""),
    ]  # fmt: skip
    assert [p.fraction for p in heard] == sorted(p.fraction for p in heard)


@pytest.mark.parametrize(("preempted", "error"), [(False, Canceled), (True, Preempted)])
def test_cancel_stops_at_the_next_check(preempted, error):
    run = Run()
    run.check()
    run.cancel(preempted)
    assert run.should_stop()
    with pytest.raises(error), run.stage("lift"):
        pytest.fail("a stage began after cancel")


def test_the_first_reason_to_stop_counts():
    run = Run()
    run.cancel()
    run.cancel(preempted=True)
    with pytest.raises(Canceled) as caught:
        run.check()
    assert not isinstance(caught.value, Preempted)


def test_a_stage_that_was_canceled_inside_does_not_count_as_done():
    run = Run()
    with pytest.raises(Canceled), run.stage("lift"):
        run.cancel()
    assert "lift" in run.timings_s


def test_the_deadline_says_where_it_struck():
    run = Run(timeout_s=0.0)
    with pytest.raises(DeadlineExceeded, match=r"in stage 'temporal'.*allow more time"), run.stage("temporal"):
        pass
