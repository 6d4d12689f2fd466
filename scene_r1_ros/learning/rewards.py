# SPDX-License-Identifier: Apache-2.0
"""How good a reply is, as numbers from 0 to 1: what GRPO learns from, and what evaluation reports. Without torch.

One pure function per term, as in Scene-R1 (arXiv 2506.17545, section 3) and TimeZero (arXiv 2503.13377): the form of
the reply, the overlap of its time window, the overlap of its box, and its answer. Of a term, None means that it does
not apply to the task, 0.0 that the reply is wrong or cannot be read. Replies are read with the parsers that the robot
uses, so that exactly what the robot could use is rewarded.

What none of the terms pays for: the whole clip or the whole image (the overlap is the true share of it), "not present"
where it is present, boxes or windows on the off chance (each that is too many lowers the mean, or widens the union), an
answer in the thoughts or outside of the tags (no reward for the form), and a number among several (not read at all).
"""

from dataclasses import asdict, dataclass

from scene_r1_ros.config import setting
from scene_r1_ros.errors import BadBox, ParseFailed
from scene_r1_ros.learning.overlaps import boxes_iou, plain_words, windows_iou
from scene_r1_ros.learning.sample import NamedBox, Sample
from scene_r1_ros.reasoning.boxes import LabeledBox, to_original
from scene_r1_ros.reasoning.fitting import YES_NO
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.parse import parse_answer, parse_boxes, parse_window
from scene_r1_ros.reasoning.protocol import BoxConvention, ModelSpec
from scene_r1_ros.reasoning.questions import kind_of
from scene_r1_ros.reasoning.sections import MAX_CHARACTERS, SPECIAL_TOKEN, TAG
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.types import Box2D

FORM = ("<think>", "</think>", "<answer>", "</answer>")


@dataclass(frozen=True)
class RewardConfig:
    """What each term is worth. The paper adds them with equal weights; here the form counts less, as a model that
    started supervised has it from the first step on, and what it says is to be learned."""

    format: float = setting(0.25, "worth of the form: one think, then one answer, nothing outside", 0.0, 100.0)
    temporal_iou: float = setting(1.0, "worth of the overlap of time windows", 0.0, 100.0)
    box_iou: float = setting(1.0, "worth of the overlap of boxes in the image", 0.0, 100.0)
    answer: float = setting(1.0, "worth of the right answer to a question", 0.0, 100.0)


@dataclass(frozen=True)
class Scores:
    """The terms of a reply, 0 to 1; None where a term does not apply to the sample's task."""

    format: float
    temporal_iou: float | None = None
    box_iou: float | None = None
    answer: float | None = None

    def total(self, weights: RewardConfig) -> float:
        """The weighted sum of the terms that apply.

        >>> Scores(format=1.0, box_iou=0.5).total(RewardConfig())
        0.75
        """
        worth = asdict(weights)
        return sum(worth[name] * value for name, value in asdict(self).items() if value is not None)


def score(reply: str, sample: Sample, scale_xy: tuple[float, float] = (1.0, 1.0)) -> Scores:
    """All terms of a reply to a sample.

    Args:
        reply: the model's words, with what the chat template may have begun for it, as <think>.
        scale_xy: pixels of the sample's image per unit of the reply's boxes, see ``scale_of``.
    """
    form = form_of(reply)
    if sample.task == "temporal":
        return Scores(form, temporal_iou=_window_term(reply, sample))
    if sample.task == "answer":
        return Scores(form, answer=_answer_term(reply, sample))
    return Scores(form, box_iou=_box_term(reply, sample, scale_xy))


def scale_of(convention: BoxConvention, seen: tuple[int, int], original_wh: tuple[int, int]) -> tuple[float, float]:
    """Pixels of the original image per unit of a model's boxes, along x and y.

    A reward that takes the wrong convention is 0 for every reply, and nothing is learned.

    Args:
        seen: size of the image as the model saw it, pixels (w, h).

    >>> scale_of("norm_1000", (644, 476), (640, 480))
    (0.64, 0.48)
    """
    unit = to_original((0.0, 0.0, 1.0, 1.0), convention, seen, original_wh)
    return unit.x2, unit.y2


def model_scale(sample: Sample, spec: ModelSpec) -> tuple[float, float]:
    """``scale_of`` where a model's own processor resizes the image of a sample."""
    original_wh = sample.shots[0].size_wh
    return scale_of(spec.box_convention, seen_wh(*original_wh, spec), original_wh)


def form_of(reply: str) -> float:
    """1.0 where a reply is one ``<think>``, then one ``<answer>``, and nothing outside of them but white space and the
    special token of its end; else 0.0. The thoughts may be empty, the answer not.

    >>> form_of("<think>red, on the left</think>\\n<answer>5s to 10s</answer>")
    1.0
    >>> form_of("<answer>5s to 10s</answer>")
    0.0
    """
    if len(reply) > MAX_CHARACTERS:
        return 0.0
    tags = list(TAG.finditer(reply))
    if tuple(tag[0] for tag in tags) != FORM:
        return 0.0
    outside = reply[: tags[0].start()] + reply[tags[1].end() : tags[2].start()]
    behind = SPECIAL_TOKEN.sub("", reply[tags[3].end() :])
    answered = reply[tags[2].end() : tags[3].start()].strip()
    return float(bool(answered) and not (outside + behind).strip())


def _window_term(reply: str, sample: Sample) -> float:
    true, times_s = sample.target.windows or (), [shot.time_s for shot in sample.shots]
    try:
        said = parse_window(reply, times_s[-1], times_s[0])
    except ParseFailed:
        return 0.0
    return windows_iou(said, true, names_several(sample.query))


def _box_term(reply: str, sample: Sample, scale_xy: tuple[float, float]) -> float:
    try:
        said = parse_boxes(reply)
    except ParseFailed:
        return 0.0
    places = [_place(box, scale_xy, sample.shots[0].size_wh) for box in said]
    return boxes_iou(places, sample.target.boxes or (), labels_count=sample.task == "objects")


def _place(said: LabeledBox, scale_xy: tuple[float, float], size_wh: tuple[int, int]) -> NamedBox | None:
    """In pixels of the image, cut to it as the robot does; None where it lies outside."""
    (x1, y1, x2, y2), (sx, sy) = said.xyxy, scale_xy
    try:
        return NamedBox(said.label, Box2D(x1 * sx, y1 * sy, x2 * sx, y2 * sy).clipped(*size_wh))
    except BadBox:
        return None


def _answer_term(reply: str, sample: Sample) -> float:
    try:
        said = parse_answer(reply, sample.query)
    except ParseFailed:
        return 0.0
    return answer_match(said, sample.target.answer or "", sample.query)


def answer_match(said: str, true: str, question: str) -> float:
    """1.0 where two answers to a question are the same, else 0.0, both first brought into the form of its kind by
    ``parse_answer``. A choice is the same where its option is, a number where its value is, exactly (3 and 3.0, not 3
    and 4: near is not right), a yes or no where its first word is. Free words are the same where they are after case,
    punctuation and articles are left out.

    >>> answer_match("three", "3", "How many mugs are there?")
    1.0
    >>> answer_match("On the desk.", "on desk", "What does it stand on?")
    1.0
    """
    try:
        return float(comparable(said, question) == comparable(true, question))
    except ParseFailed:
        return 0.0


def comparable(answer: str, question: str) -> str:
    """What of an answer is compared.

    Raises:
        ParseFailed: it does not fit the question.
    """
    fitted = parse_answer(f"<answer>{answer}</answer>", question)
    if kind_of(question) == "yes_no" and (word := YES_NO.match(fitted)):
        return "yes" if word["yes"] else "no"
    return plain_words(fitted)
