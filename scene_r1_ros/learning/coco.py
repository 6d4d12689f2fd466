# SPDX-License-Identifier: Apache-2.0
"""A recording and the boxes that a person drew on it, as samples. Depth and poses of the recording are not used.

The clip is the images that the file of boxes names, in order of time. Queries are the annotator's own words; where
there are none, "the mug" of the category's name, or "every mug" where there may be several.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.coco_file import Drawn, DrawnBox, DrawnImage, Key, read_coco
from scene_r1_ros.learning.images import new_folder, write_image
from scene_r1_ros.learning.jsonl import write_samples
from scene_r1_ros.learning.sample import NamedBox, Sample, Shot, Target
from scene_r1_ros.learning.sightings import Sighting, samples_of
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.sequences import Entry, open_sequence
from scene_r1_ros.sequences import Sequence as Recording
from scene_r1_ros.sequences.images import encode_jpeg
from scene_r1_ros.sequences.write import JPEG_QUALITY
from scene_r1_ros.types import Frame


def import_coco(recording: Path, annotations: Path, out: Path, complete: bool = True) -> int:
    """Write ``samples.jsonl`` and ``images/`` to a new folder and return how many samples there are.

    Args:
        recording: what ``sequences.open_sequence`` reads.
        annotations: see ``coco_file``.
        complete: whether all that the file names is drawn in every image of it. Otherwise there are no time windows, no
            "not there" and no "everything in the image", which would be wrong.

    Raises:
        BadInput: the recording or the file cannot be read, or they do not fit together.
        NotWritten: the folder cannot be written.
    """
    drawn = read_coco(annotations)
    sequence = open_sequence(recording)
    new_folder(out)
    try:
        entries = in_time(drawn, sequence)
        first_ns = next(iter(entries.values())).stamp_ns
        shots = [
            _shot(drawn.images[key], sequence.read(entry), first_ns, out, f"images/{sequence.name}/{i:06d}.jpg")
            for i, (key, entry) in enumerate(entries.items())
        ]
        places = {key: i for i, key in enumerate(entries)}
        sightings = list(sightings_of(drawn.boxes, places))
    except BadInput as error:
        raise BadInput(f"{annotations}: {error}") from error
    found = samples_of(sequence.name, shots, sightings, complete)
    rest = everything(sequence.name, shots, drawn.boxes, places) if complete else ()
    return write_samples(out / "samples.jsonl", chain(found, rest))


def in_time(drawn: Drawn, sequence: Recording) -> dict[Key, Entry]:
    """The frame of each image of the file, in order of time. It is named by its id or, in digits, by its stamp in ns.

    Raises:
        BadInput: an image names no frame of the recording, or two name the same.
    """
    by_stamp = {str(entry.stamp_ns): entry for entry in sequence.entries}
    found: dict[Key, Entry] = {}
    for key, image in drawn.images.items():
        entry = by_stamp.get(image.name) or sequence.entry(image.name)
        if entry in found.values():
            raise BadInput(f"two images name the frame {shown(image.name)}; join them")
        found[key] = entry
    return dict(sorted(found.items(), key=lambda item: item[1].stamp_ns))


def _shot(image: DrawnImage, frame: Frame, first_ns: int, out: Path, name: str) -> Shot:
    height, width = frame.color.shape[:2]
    if (width, height) != image.size_wh:
        said = "x".join(map(str, image.size_wh))
        raise BadInput(f"image {shown(image.name)} is {said}, and the frame {width}x{height}; draw on the frame itself")
    write_image(out, name, encode_jpeg(frame.color, JPEG_QUALITY))
    return Shot(name, round((frame.stamp_ns - first_ns) * 1e-9, 6), (width, height))


def sightings_of(boxes: Sequence[DrawnBox], places: dict[Key, int]) -> Iterator[Sighting]:
    """What can be asked for: each query in the annotator's words, and each category that has boxes without.

    Raises:
        BadInput: a query for one thing has several boxes in one image.
    """
    worded: dict[str, list[DrawnBox]] = defaultdict(list)
    plain: dict[str, list[DrawnBox]] = defaultdict(list)
    for box in boxes:
        (worded[box.query] if box.query else plain[box.label]).append(box)
    for query, same in worded.items():
        yield _sighting(query, same, places, ("words",))
    for label, same in plain.items():
        if not any(box.label == label for some in worded.values() for box in some):  # else "the mug" leaves some out
            yield _sighting(_named(label, same), same, places, ("category",))


def _named(label: str, boxes: Sequence[DrawnBox]) -> str:
    """ "the mug", or "every mug" where there may be several: an image shows two, or there are two tracks."""
    in_one_image = len(boxes) - len({box.image for box in boxes})
    return f"every {label}" if in_one_image or len({box.track for box in boxes}) > 1 else f"the {label}"


def _sighting(query: str, same: Sequence[DrawnBox], places: dict[Key, int], tags: tuple[str, ...]) -> Sighting:
    by_frame: dict[int, list[NamedBox]] = defaultdict(list)
    for box in same:
        by_frame[places[box.image]].append(NamedBox(box.label, box.box))
    crowded = next((i for i, found in by_frame.items() if len(found) > 1), None)
    if crowded is not None and not names_several(query):
        raise BadInput(
            f"the query {shown(query)} names one thing and has {len(by_frame[crowded])} boxes in one image (the "
            f"{crowded + 1}. in time); make the queries differ, or ask for several: 'the red mugs'"
        )
    return Sighting(query, {i: tuple(found) for i, found in by_frame.items()}, tags)


def everything(
    scene: str, shots: Sequence[Shot], boxes: Sequence[DrawnBox], places: dict[Key, int]
) -> Iterator[Sample]:
    """All boxes of each image that has some."""
    by_frame: dict[int, list[NamedBox]] = defaultdict(list)
    for box in boxes:
        by_frame[places[box.image]].append(NamedBox(box.label, box.box))
    for i, found in sorted(by_frame.items()):
        yield Sample(f"{scene}/objects/{i}", "objects", scene, (shots[i],), "", Target(boxes=tuple(found)))
