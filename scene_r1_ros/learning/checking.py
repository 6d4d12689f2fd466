# SPDX-License-Identifier: Apache-2.0
"""A whole file of samples held against the rules: what is in it, and everything that is wrong with it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.images import check_image
from scene_r1_ros.learning.jsonl import check_new, lines_of, parsed
from scene_r1_ros.learning.sample import Sample, Shot
from scene_r1_ros.learning.schema import sample_of

MAX_KEPT = 1_000  # problems whose text is kept; the others are only counted


@dataclass
class Checked:
    """What a file of samples holds."""

    samples: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)  # by task: samples whose right answer is that it is not there
    tags: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)  # by what stands before the first / of the scene
    scenes: set[str] = field(default_factory=set)
    images: dict[str, tuple[int, int]] = field(default_factory=dict)  # size_wh of each, as first said
    problems: list[str] = field(default_factory=list)  # "line 3: ...", in order, at most MAX_KEPT
    n_problems: int = 0

    def add(self, sample: Sample) -> None:
        target = sample.target
        self.samples += 1
        self.tasks[sample.task] += 1
        self.absent[sample.task] += not (target.windows or target.boxes or target.answer)
        self.tags.update(set(sample.tags))
        split, slash, _ = sample.scene.partition("/")
        self.splits[split if slash else ""] += 1
        self.scenes.add(sample.scene)

    def report(self, problem: str) -> None:
        self.n_problems += 1
        if len(self.problems) < MAX_KEPT:
            self.problems.append(problem)


def check_file(path: Path, images: bool = True) -> Checked:
    """All that is wrong with a file of samples: of each line the first field that breaks a rule, and each image once.

    Args:
        images: also look at the images: that they are there, whole, and of the size that the samples say.

    Raises:
        BadInput: the file cannot be read at all.
    """
    checked, numbers = Checked(), dict[str, int]()
    for number, line in lines_of(path):
        try:
            sample = sample_of(parsed(line))
            check_new(sample, number, numbers)
        except BadInput as error:
            checked.report(f"line {number}: {error}")
            continue
        checked.add(sample)
        for shot in sample.shots:
            _look_at(shot, number, path.parent if images else None, checked)
    if not checked.samples and not checked.n_problems:
        checked.report("the file holds no sample; expected one JSON object a line")
    return checked


def _look_at(shot: Shot, number: int, folder: Path | None, checked: Checked) -> None:
    """Check an image where it is named first; later, that the same size is said."""
    known = shot.image in checked.images
    first = checked.images.setdefault(shot.image, shot.size_wh)
    if first != shot.size_wh:
        said, before = ("x".join(map(str, wh)) for wh in (shot.size_wh, first))
        checked.report(
            f"line {number}: size_wh of image {shot.image} is {said}, and {before} in an earlier line; mend one"
        )
    elif folder is not None and not known:
        try:
            check_image(folder, shot)
        except BadInput as error:
            checked.report(f"line {number}: {error}")
