# SPDX-License-Identifier: Apache-2.0
"""The heart: from a sentence and keyframes to a 3D mask with its reasoning, or to an answer."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from scene_r1_ros.answer import Answer, SceneObject, Try, certainty
from scene_r1_ros.config import Config
from scene_r1_ros.errors import (
    BadInput,
    BadQuery,
    Canceled,
    DeadlineExceeded,
    ErrorCode,
    ModelFailed,
    NoDepth,
    NotThere,
    SceneR1Error,
)
from scene_r1_ros.geometry.box import oriented_box
from scene_r1_ros.geometry.confidence import confidence
from scene_r1_ros.geometry.gravity import up_world
from scene_r1_ros.geometry.lift import lift
from scene_r1_ros.geometry.reach import nearest_point
from scene_r1_ros.geometry.uncertainty import center_covariance_m2
from scene_r1_ros.geometry.verify import verify
from scene_r1_ros.reasoning.answer import answer_question
from scene_r1_ros.reasoning.audit import audited
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.denial import denies
from scene_r1_ros.reasoning.image import hypotheses, unseen
from scene_r1_ros.reasoning.protocol import Model
from scene_r1_ros.reasoning.questions import asked_thing, kind_of
from scene_r1_ros.reasoning.sections import plain
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.reasoning.temporal import ground_in_time, searched
from scene_r1_ros.run import Run
from scene_r1_ros.text import counted
from scene_r1_ros.tracking.consistency import Checked, consistent
from scene_r1_ros.tracking.protocol import Tracker
from scene_r1_ros.tries import Tries
from scene_r1_ros.types import Frame, Hypothesis, Mask, TimeWindow
from scene_r1_ros.wording import cut_text, metres, summary, verdict_text

log = logging.getLogger(__name__)

MAX_QUERY_LENGTH = 2000

Step = Callable[[str, Sequence[Frame], Run], Answer]


class SceneR1:
    """Answers queries about what a camera has seen. Holds no state between queries."""

    def __init__(self, model: Model, tracker: Tracker, config: Config):
        self.model = model
        self.tracker = tracker
        self.config = config

    def ground(self, query: str, frames: Sequence[Frame], run: Run | None = None) -> Answer:
        """Find what ``query`` names in ``frames`` (keyframes in order of time).

        Never raises for what users, models or sensors do: the reason stands in the answer's ``error_code``.
        """
        return self._answered(self._ground, query, frames, run or Run(self.config.timeout_s))

    def ask(self, question: str, frames: Sequence[Frame], run: Run | None = None) -> Answer:
        """Answer ``question`` from ``frames`` (keyframes in order of time). Never raises, like ``ground``."""
        answer = self._answered(self._ask, question, frames, run or Run(self.config.timeout_s))
        return replace(answer, kind=kind_of(question[:MAX_QUERY_LENGTH]))  # also of a question that failed

    def _ground(self, query: str, frames: Sequence[Frame], run: Run) -> Answer:
        # 1. Lay the keyframes out in time.
        with run.stage("select"):
            clip = Clip.of(frames)
        return self._located(query, clip, run)

    def _located(self, query: str, clip: Clip, run: Run) -> Answer:
        # 2. Temporal grounding: when is it seen?
        with run.stage("temporal"):
            windows = ground_in_time(self.model, checked_query(query), clip, run)
        # 3. Image grounding: where is it in a frame of that window? Boxes are tried until places are confirmed.
        tries = Tries(self.config.verify, clip, names_several(query))
        try:
            self._look(query, tries, clip, windows, run)
        except (DeadlineExceeded, ModelFailed) as error:
            if not tries.found:
                return replace(failed(query, error), tries=tuple(tries.failed))
            run.note(f"No further frame was asked: {error}")
        objects = tries.objects
        if not objects:
            return not_found(query, clip, windows, tries.failed, run)
        # 7. Answer: what is found is told, however late.
        run.timeout_s = float("inf")
        with run.stage("answer"):
            window = holding(windows, clip.times_s[clip.frames.index(objects[0].source)])
            return Answer(query, "found", text=summary(*objects), objects=objects, window=window)

    def _look(self, query: str, tries: Tries, clip: Clip, windows: tuple[TimeWindow, ...], run: Run) -> None:
        for hypothesis in self._hypotheses(query, clip, windows, run):
            self._try(hypothesis, tries, clip, run)
            if tries.over:
                return

    def _hypotheses(self, query: str, clip: Clip, windows: tuple[TimeWindow, ...], run: Run) -> Iterator[Hypothesis]:
        places = hypotheses(self.model, query, clip, windows, run)
        while True:
            with run.stage("image"):
                place = next(places, None)
            if place is None:
                return
            yield place

    def _try(self, hypothesis: Hypothesis, tries: Tries, clip: Clip, run: Run) -> None:
        if tries.agrees(hypothesis, run):
            return
        tracked = Checked((), ())
        try:
            # 4. Track: masks in every view that sees it.
            with run.stage("track"):
                (masks,) = self.tracker.track(clip.frames, [hypothesis], run)
                tracked = Checked(masks, ())  # what there is to show if they do not hold
                tracked = self._checked(hypothesis, masks, clip, run)
            # 5. and 6. Lift, verify.
            self._find(hypothesis, tracked, tries, clip, run)
        except (NoDepth, NotThere, BadInput) as failure:  # the last: poses that jump; another frame may hold
            tries.fail(hypothesis, tracked, failure, run)

    def _checked(self, hypothesis: Hypothesis, masks: Sequence[Mask], clip: Clip, run: Run) -> Checked:
        kept = consistent(masks, hypothesis.frame, self.config.lift, run)
        boxes = tuple((m.frame.frame_id, m.box) for m in kept.masks if m.box)
        views = counted(len(kept.masks), "view")
        run.note(f"Followed '{hypothesis.label}' into {views}.{cut_text(kept, clip)}", boxes=boxes)
        return kept

    def _find(self, hypothesis: Hypothesis, tracked: Checked, tries: Tries, clip: Clip, run: Run) -> None:
        frames, masks = clip.frames, tracked.masks
        # 5. Lift: one cloud in the world.
        with run.stage("lift"):
            cloud = lift(masks, self.config.lift, run)
            points_world = cloud.points_world
            box = oriented_box(points_world, up_world(frames, self.config.lift.up_axis))
            run.note(f"Lifted {len(points_world)} points; the box measures {metres(box.size_m)} m.")
        # 6. Verify: does it hold against its box, its masks and the depth of all views?
        with run.stage("verify"):
            evidence = verify(points_world, masks, frames, hypothesis, self.config.verify)
            score = confidence(evidence)
            run.note(f"{verdict_text(clip.name(hypothesis.frame), evidence)} {certainty(score).capitalize()}.")
            covariance_m2 = center_covariance_m2(points_world, box, masks)
            nearest = nearest_point(points_world, masks, frames)
            tries.found.append(SceneObject(  # within the stage: it holds, even if the time is up behind it
                hypothesis.label, score, points_world, cloud.colors, cloud.object_share, box, covariance_m2, nearest,
                hypothesis.frame, masks, evidence, tuple(c.mask for c in tracked.cut),
            ))  # fmt: skip

    def _ask(self, question: str, frames: Sequence[Frame], run: Run) -> Answer:
        with run.stage("select"):
            clip = Clip.of(frames)
        with run.stage("answer"):
            answer = answer_question(self.model, checked_query(question), clip, run)
        thing = asked_thing(question)
        return self._with_place(answer, thing, clip, run) if thing else answer

    def _with_place(self, answer: Answer, thing: str, clip: Clip, run: Run) -> Answer:
        """The answer to a question where ``thing`` is, with the thing itself if it can be grounded in time."""
        support = run.rationale[-1].frames
        if denies(plain(answer.text)):  # and a place would contradict it
            run.note(f"The answer says that {thing!r} is not there, so it is not looked for.", frames=support)
            return answer
        try:
            place = self._located(thing, clip, run)
        except Canceled:
            raise
        except Exception as error:
            place = failed(thing, error)
        run.timeout_s = float("inf")  # what is answered stays so, however late
        with run.stage("answer"):
            if not place.objects:
                run.note(f"The place of {thing!r} could not be told: {place.error_msg}", frames=support)
                return replace(answer, tries=place.tries)
            run.note(f"The place of {thing!r} is told: {place.text}", frames=support)
        text = f"{answer.text.rstrip('. ')}. {place.text}" if answer.kind == "free" else answer.text
        return replace(answer, text=text, objects=place.objects, window=place.window)

    def _answered(self, step: Step, query: str, frames: Sequence[Frame], run: Run) -> Answer:
        """Run a step and turn what goes wrong into an answer that says so; the rationale so far is kept."""
        run.max_output_tokens = self.config.model.max_output_tokens
        try:
            answer = audited(step(query, frames, run), Clip.of(frames), run)
        except Exception as error:
            answer = failed(query, error)
        first_stamp_ns = frames[0].stamp_ns if frames else 0
        return replace(
            answer,
            rationale=tuple(run.rationale),
            timings_s=dict(run.timings_s),
            usage=dict(run.usage),
            first_stamp_ns=first_stamp_ns,
        )


def failed(query: str, error: Exception) -> Answer:
    """What a query ends with when something went wrong; what nobody foresaw leaves its trace in the log."""
    if isinstance(error, SceneR1Error):
        return Answer(query, "error", error.code, str(error))
    log.error("query %r failed", query, exc_info=error)
    return Answer(query, "error", ErrorCode.UNKNOWN, f"{type(error).__name__}: {error}; the log has the trace")


def checked_query(query: str) -> str:
    if not query.strip() or len(query) > MAX_QUERY_LENGTH:
        raise BadQuery(
            f"the query has {len(query) if query.strip() else 0} characters; expected 1 to {MAX_QUERY_LENGTH}, "
            'e.g. "the red mug left of the sink"'
        )
    return query


def not_found(query: str, clip: Clip, windows: Sequence[TimeWindow], failed: Sequence[Try], run: Run) -> Answer:
    """Looked and did not find: why, with a code of its own where the object was seen but could not be lifted."""
    span = f"{len(clip.frames)} keyframes over {clip.times_s[-1]:.1f} s"
    if failed:
        why = f"{len(failed)} place(s) looked right in the image, but none held in 3D; the last: {failed[-1].reason}"
    else:
        why = unseen(run) if windows else searched(run, clip)
    no_depth = bool(failed) and all(one.code == ErrorCode.NO_DEPTH for one in failed)
    code = ErrorCode.NO_DEPTH if no_depth else ErrorCode.NOT_FOUND
    why = f"{query!r} not found in {span}: {why}"
    return Answer(query, "not_found", code, why, tries=tuple(failed), window=windows[0] if windows else None)


def holding(windows: Sequence[TimeWindow], time_s: float) -> TimeWindow:
    """The window that holds a time, or the nearest: one that lies between two frames is asked at the nearest frame."""
    return min(windows, key=lambda window: max(window.start_s - time_s, time_s - window.end_s, 0.0))
