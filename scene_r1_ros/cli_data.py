# SPDX-License-Identifier: Apache-2.0
"""The commands ``scene-r1 data``: samples to learn from, made, imported and checked."""

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from scene_r1_ros.errors import BadInput
from scene_r1_ros.text import clean_text, counted

if TYPE_CHECKING:
    from scene_r1_ros.learning.checking import Checked

MAX_SHOWN = 20  # problems
MAX_TAGS = 30

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Samples to learn from: one JSON object a line with images, 2D boxes, time windows and text; nothing 3D.",
)
console = Console(emoji=False)  # paths have colons

Engine = Literal["easyr1", "verl", "trl"]


class Split(str, Enum):
    """Which rooms: each split has a million seeds of its own."""

    TRAIN, VAL, TEST = "train", "val", "test"


OutArgument = Annotated[Path, typer.Argument(help="A new folder: samples.jsonl, and below images/ the pictures.")]


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A samples.jsonl with its images beside it, or the folder of both.")],
    images: Annotated[
        bool, typer.Option(help="Also look at the images: are they there, whole, and of the size that is said?")
    ] = True,
) -> None:
    """Say what a file of samples holds, or all that is wrong with it; exit code 2 where something is.

    A line is one sample:

    {"id": "train/7/0", "task": "image", "scene": "train/7",
    "frames": \\[{"image": "images/7/4.jpg", "time_s": 1.6, "size_wh": \\[224, 168]}],
    "query": "the red mug", "target": {"boxes": \\[{"box_xyxy": \\[34, 50, 61, 80], "label": "red mug"}]}}

    Tasks and their targets: [b]image[/b], [b]objects[/b]: boxes in pixels; [b]temporal[/b]: {"windows_s":
    \\[\\[1.2, 3.4]]} in seconds; [b]answer[/b]: {"answer": "3"}. An empty list says that it is not there.
    """
    from scene_r1_ros.learning.checking import check_file

    path = path / "samples.jsonl" if path.is_dir() else path
    checked = check_file(path, images)
    if checked.n_problems:
        for problem in checked.problems[:MAX_SHOWN]:
            console.print(clean_text(problem), markup=False, highlight=False, soft_wrap=True)
        raise BadInput(
            f"{path}: {counted(checked.n_problems, 'problem')} beside {counted(checked.samples, 'sample')} that can be "
            f"read{'; the first are above' if checked.n_problems > MAX_SHOWN else ''}"
        )
    _summary(path, checked)


def _summary(path: Path, checked: "Checked") -> None:
    table = Table()
    for column, justify in (("", "left"), ("samples", "right"), ("not there", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for task, count in sorted(checked.tasks.items()):
        table.add_row(f"task {task}", str(count), str(checked.absent[task]))
    for split, count in sorted(checked.splits.items()):
        if split:
            table.add_row(f"split {split}", str(count), "")
    for tag, count in checked.tags.most_common(MAX_TAGS):
        table.add_row(f"tag {tag}", str(count), "")
    console.print(table)
    samples, scenes = counted(checked.samples, "sample"), counted(len(checked.scenes), "scene")
    all_of_it = f"{samples} of {scenes}, {counted(len(checked.images), 'image')}"
    console.print(f"{path}: nothing wrong; {all_of_it}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def coco(
    sequence: Annotated[Path, typer.Argument(help="A folder of frames, a TUM RGB-D folder, or a ROS 2 bag.")],
    annotations: Annotated[Path, typer.Argument(help="The boxes, as COCO JSON: images, categories, annotations.")],
    out: OutArgument,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete/--partial",
            help="Is all that the file names drawn in every image of it? If not, there are no time windows and no "
            "'not there'.",
        ),
    ] = True,
) -> None:
    """Boxes that a person drew on a recording (COCO format) as samples.

    An image names its frame, by its id or by its stamp in nanoseconds, as [b]frame_id[/b], or as [b]file_name[/b]
    without folder and suffix (000222 for rgb/000222.color.jpg). Beside COCO's own fields an annotation may have a
    [b]query[/b] (or [b]caption[/b]), "the red mug left of the sink", and a [b]track_id[/b], the same for one thing in
    all its images.
    """
    from scene_r1_ros.learning.coco import import_coco

    _done(out, import_coco(sequence, annotations, out, complete))


@app.command()
def scannet(
    scene: Annotated[Path, typer.Argument(help="Folder of one scene, with color/N.jpg, N the number of the frame.")],
    annotations: Annotated[Path, typer.Argument(help="Descriptions as ScanRefer has them: a JSON list.")],
    out: OutArgument,
    fps: Annotated[float, typer.Option(help="Frames a second of the recording; ScanNet: 30.", min=0.1, max=1000)] = 30,
    frames: Annotated[int, typer.Option(help="Images of the clip, evenly chosen.", min=2, max=1000)] = 64,
) -> None:
    """A scene of ScanNet (or laid out like it) with descriptions of its objects, as samples. No 3D file is opened.

    Read are color/N.jpg, and of each entry of the JSON with this scene's name as [b]scene_id[/b]: [b]object_id[/b],
    [b]object_name[/b], [b]description[/b]. Where the object is seen comes from [b]boxes[/b] of the entry, {"N":
    \\[x1, y1, x2, y2]} in pixels of color/N.jpg, or without them from instance-filt/N.png (or instance/N.png), whose
    pixels are object_id + 1.
    """
    from scene_r1_ros.learning.scannet import import_scannet

    _done(out, import_scannet(scene, annotations, out, fps, frames))


@app.command()
def rooms(
    out: Annotated[
        Path, typer.Argument(help="The folder for images/, samples.jsonl and checksums.json, of one split.")
    ],
    split: Annotated[Split, typer.Option(help="train to learn from, val to choose by, test to report.")] = Split.TRAIN,
    number: Annotated[int, typer.Option("--rooms", help="How many rooms, each with about 190 samples.", min=1)] = 100,
    first_seed: Annotated[int, typer.Option(help="Of the split's own seeds, from 0.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes; 0: one per processor.", min=0)] = 0,
) -> None:
    """Render rooms and say what they show: samples to learn from.

    Each room is toured in 32 frames of 224x168 pixels, with 12 close-ups, and gives sentences with boxes, sentences
    with time windows, questions with answers, and the boxes of all that has a name. The same seeds give the same bytes,
    whatever the number of processes. Rooms that are there are not made again: an interrupted run goes on.

    Example: [b]scene-r1 data rooms out/val --split val --rooms 200[/b], then [b]scene-r1 data sheet out/val[/b].
    """
    from scene_r1_ros.rooms.dataset import write_rooms

    columns = (TextColumn("rooms"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("rooms", total=number)
        processes = workers or os.cpu_count() or 1
        path = write_rooms(out, split.value, number, first_seed, processes, lambda: bar.advance(task))
    console.print(f"wrote {path}", soft_wrap=True, highlight=False)


@app.command()
def sheet(
    samples: Annotated[Path, typer.Argument(help="A samples.jsonl, or the folder that holds one.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The PNG to write.")] = Path("out/sheet.png"),
    count: Annotated[int, typer.Option(help="How many samples; of each kind as many.", min=1, max=400)] = 48,
    seed: Annotated[int, typer.Option(help="Another seed shows others.")] = 0,
    task: Annotated[str, typer.Option(help="Only of one task: image, temporal, answer or objects.")] = "",
) -> None:
    """Draw samples as one picture to look at: boxes with sentences, clips with windows, questions with answers."""
    from scene_r1_ros.learning.atomic import replacing
    from scene_r1_ros.learning.jsonl import read_samples
    from scene_r1_ros.report.panels import save_small
    from scene_r1_ros.rooms.contact_sheet import chosen, contact_sheet

    if out.suffix != ".png":
        raise BadInput(f"--out {out}: the sheet is a PNG; name it sheet.png, for example")
    path = samples / "samples.jsonl" if samples.is_dir() else samples
    drawn = chosen([sample for sample in read_samples(path) if task in ("", sample.task)], count, seed)
    if not drawn:
        raise BadInput(
            f"{path} holds no samples{f' of the task {task}' if task else ''}; make some: scene-r1 data rooms"
        )
    with replacing(out) as new:
        save_small(contact_sheet(drawn, path.parent), new)
    console.print(f"wrote {out}", soft_wrap=True, highlight=False)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="A file of samples (samples.jsonl); its images lie beside it.")],
    out: Annotated[Path, typer.Argument(help="A new folder: the samples, the reward as one file, and launch.sh.")],
    to: Annotated[Engine, typer.Option("--to", help="Who trains on it; `scene-r1 train trl` needs no export.")],
    spec: Annotated[
        str, typer.Option(help="How the model is asked: a YAML of config/models, or a path.")
    ] = "qwen2_5_vl",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="YAML with what differs from config/train/grpo.yaml.")
    ] = None,
) -> None:
    """Samples for EasyR1 or verl (which train over Ray, on several nodes), or for TRL in a program of your own."""
    from scene_r1_ros.learning.big.export import export
    from scene_r1_ros.learning.big.settings import load_settings
    from scene_r1_ros.reasoning.models import make_spec

    count = export(path, to, out, make_spec(spec), load_settings(config))
    console.print(f"{counted(count, 'sample')} for {to} in {out}", highlight=False, soft_wrap=True)


def _done(out: Path, count: int) -> None:
    console.print(f"{counted(count, 'sample')} in {out / 'samples.jsonl'}", highlight=False, soft_wrap=True)
