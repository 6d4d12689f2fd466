# SPDX-License-Identifier: Apache-2.0
"""Data sets out of rooms: pictures and samples, room by room, by as many processes as wanted.

A folder holds one split: ``images/<room>/NNNNNN.jpg``, ``rooms/<room>.jsonl`` and, when all rooms are there,
``samples.jsonl`` with all their samples and ``checksums.json``. A room's jsonl is written last, so that a room that has
one is whole and is not made again. The bytes depend on the seeds alone.
"""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal, get_args

import cv2
from numpy.typing import NDArray

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadInput, NotWritten
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.learning.atomic import replacing
from scene_r1_ros.learning.jsonl import write_samples
from scene_r1_ros.rooms.close_up import close_up
from scene_r1_ros.rooms.furnished import furnished_room
from scene_r1_ros.rooms.quick import render_views
from scene_r1_ros.rooms.room import Room
from scene_r1_ros.rooms.samples import room_samples
from scene_r1_ros.rooms.scene_graph import Outlines, Picture, View
from scene_r1_ros.rooms.tour import tour

Split = Literal["train", "val", "test"]
FIRST_SEED: dict[str, int] = {"train": 0, "val": 1_000_000, "test": 2_000_000}
SEEDS = 1_000_000  # of each split
SIZE_WH = (224, 168)
CAMERA = PinholeCamera(*SIZE_WH, 168.0, 168.0, 111.5, 83.5)
FRAMES, CLOSE_UPS = 32, 12
STEP_S = (0.3, 1.0)
JPEG_QUALITY = 95
SURROUNDINGS = (2.5, 4.0)  # side of a close-up to the longer side of what it is around
SMALL_PX = 40  # close-ups are rather around what is smaller
OFF_CENTRE = 0.25  # of the side of a close-up: how far its middle may lie from that of the thing
MIN_CLOSE_UP_PX = 32


def write_rooms(
    out: Path,
    split: Split,
    rooms: int,
    first_seed: int = 0,
    workers: int = 1,
    on_room: Callable[[], object] = lambda: None,
) -> Path:
    """Make the rooms of a split that the folder lacks, join their samples, and return the path of ``samples.jsonl``.

    Args:
        first_seed: of the split's own seeds, from 0.
        on_room: called after each room, to show progress.

    Raises:
        BadInput: no such split, seeds outside it, or a folder that holds another split.
        NotWritten: the disk is full or cannot be written; rooms that were finished stay, and the next run goes on.
    """
    seeds = seeds_of(split, rooms, first_seed)
    with clear_errors(out):
        claim(out, split)
        for _ in done(partial(write_room, out, split), seeds, workers):
            on_room()
        return join(out, seeds)


def seeds_of(split: str, rooms: int, first_seed: int) -> range:
    if split not in get_args(Split):
        raise BadInput(f"split {split!r}; expected one of {', '.join(get_args(Split))}")
    if rooms < 1 or first_seed < 0 or first_seed + rooms > SEEDS:
        raise BadInput(
            f"{rooms} rooms from seed {first_seed} on; ask for one room or more, of a split's seeds 0 to {SEEDS - 1}"
        )
    start = FIRST_SEED[split] + first_seed
    return range(start, start + rooms)


@contextmanager
def clear_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise NotWritten(
            f"cannot write rooms to {out}: {reason}; make room there and run it again, finished rooms are kept"
        ) from error


def claim(out: Path, split: str) -> None:
    """Note the split in the folder.

    Raises:
        BadInput: it holds another.
    """
    path = out / "split.json"
    note = {"split": split}
    if path.exists() and (held := path.read_text(encoding="utf-8").strip()) != json.dumps(note):
        raise BadInput(f"{out} holds {shown(held)}, and {split} was asked for; choose a folder for each split")
    with replacing(path) as new:
        new.write_text(json.dumps(note) + "\n", encoding="utf-8")


def done(make: Callable[[int], None], seeds: range, workers: int) -> Iterator[None]:
    """Make the room of each seed, in this process or in several."""
    if workers == 1:
        yield from map(make, seeds)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy threads of libraries in mid-step
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield from pool.map(make, seeds)
        except BrokenProcessPool as error:
            raise NotWritten(
                f"one of {workers} processes that make rooms was killed; is there memory for as many? "
                "Run it again with fewer workers, finished rooms are kept"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def room_name(seed: int) -> str:
    return f"{seed:07d}"


def write_room(out: Path, split: str, seed: int) -> None:
    """The pictures and samples of one room, unless they are there. The samples come last and mark it as whole."""
    name = room_name(seed)
    samples = out / "rooms" / f"{name}.jsonl"
    if samples.exists() and (out / "images" / name).is_dir():
        return
    cv2.setNumThreads(1)
    shutil.rmtree(out / "images" / name, ignore_errors=True)  # of a run that was interrupted
    (out / "images" / name).mkdir(parents=True)
    room, rng = furnished_room(seed), Random(seed)
    keep = partial(kept, out, name, Outlines(room))
    poses = tour(room, seed, FRAMES)
    views = rendered(room, poses, [CAMERA] * FRAMES)
    pictures = [keep(index, view, time_s) for index, (view, time_s) in enumerate(zip(views, times(rng), strict=True))]
    near = close_ups(poses, pictures, rng)
    close = [keep(FRAMES + index, view, 0.0) for index, view in enumerate(rendered(room, *near))]
    write_samples(samples, room_samples(f"{split}/{name}", room.objects, pictures, close, rng))


def rendered(room: Room, poses: Sequence[NDArray], cameras: Sequence[PinholeCamera]) -> Iterator[View]:
    for (color, instances), camera, pose in zip(render_views(room, poses, cameras), cameras, poses, strict=True):
        yield View(color, instances, camera, pose)


def times(rng: Random) -> list[float]:
    """Of the frames of a tour, from 0 on, to a tenth of a second; no two alike."""
    step_s, time_s, found = rng.uniform(*STEP_S), 0.0, []
    for _ in range(FRAMES):
        found.append(round(time_s, 1))
        time_s = found[-1] + max(step_s * rng.uniform(0.85, 1.15), 0.1)
    return found


def kept(out: Path, room: str, outlines: Outlines, index: int, view: View, time_s: float) -> Picture:
    """Write a picture and say what it shows."""
    image = f"images/{room}/{index:06d}.jpg"
    ok, data = cv2.imencode(".jpg", view.color[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not ok:
        raise NotWritten(f"{out / image}: the picture cannot be encoded as JPEG")
    (out / image).write_bytes(data.tobytes())
    return outlines.picture(view, image, time_s)


def close_ups(poses: list[NDArray], pictures: list[Picture], rng: Random) -> tuple[list[NDArray], list[PinholeCamera]]:
    """Poses and cameras of enlarged parts of pictures, around things, rather small ones, that lie off their middle."""
    choices = [(i, seen) for i, picture in enumerate(pictures) for seen in picture.clear.values()]
    weights = [(SMALL_PX / max(seen.size_px, SMALL_PX)) ** 2 for _, seen in choices]
    drawn = rng.choices(choices, weights, k=CLOSE_UPS) if choices else []
    cameras = [close_up(CAMERA, surroundings(seen.box_xyxy, rng), SIZE_WH) for _, seen in drawn]
    return [poses[i] for i, _ in drawn], cameras


def surroundings(box_xyxy: tuple[int, int, int, int], rng: Random) -> tuple[int, int, int, int]:
    """A part of the picture, of its shape, around a box."""
    x1, y1, x2, y2 = box_xyxy
    aspect = SIZE_WH[0] / SIZE_WH[1]
    wide = max(x2 - x1, (y2 - y1) * aspect) * rng.uniform(*SURROUNDINGS)
    width = min(max(round(wide), MIN_CLOSE_UP_PX), SIZE_WH[0])
    height = min(round(width / aspect), SIZE_WH[1])
    left = (x1 + x2) / 2 + rng.uniform(-OFF_CENTRE, OFF_CENTRE) * width - width / 2
    top = (y1 + y2) / 2 + rng.uniform(-OFF_CENTRE, OFF_CENTRE) * height - height / 2
    left = min(max(round(left), 0), SIZE_WH[0] - width)
    top = min(max(round(top), 0), SIZE_WH[1] - height)
    return left, top, left + width, top + height


def join(out: Path, seeds: range) -> Path:
    """All rooms' samples in one file, in order of their seeds, and the checksums of all."""
    path = out / "samples.jsonl"
    with replacing(path) as new, new.open("wb") as file:
        for seed in seeds:
            file.write((out / "rooms" / f"{room_name(seed)}.jsonl").read_bytes())
    sums = {"samples.jsonl": sha256(path), "rooms": {room_name(seed): checksum(out, room_name(seed)) for seed in seeds}}
    with replacing(out / "checksums.json") as new:
        new.write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")
    return path


def checksum(out: Path, room: str) -> str:
    """SHA-256 over a room's samples and pictures, in order of their names."""
    digest = hashlib.sha256((out / "rooms" / f"{room}.jsonl").read_bytes())
    for image in sorted((out / "images" / room).iterdir()):
        digest.update(image.name.encode() + image.read_bytes())
    return digest.hexdigest()


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
