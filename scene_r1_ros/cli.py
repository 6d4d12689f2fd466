# SPDX-License-Identifier: Apache-2.0
"""The command line ``scene-r1``. Exit codes: 0 found, 3 not found, 2 bad input, 1 the system failed."""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler

from scene_r1_ros import __version__
from scene_r1_ros import config as settings
from scene_r1_ros.answer import Answer
from scene_r1_ros.cli_data import app as data
from scene_r1_ros.cli_train import app as train
from scene_r1_ros.errors import BadInput, NotWritten, SceneR1Error
from scene_r1_ros.evaluation.what import What
from scene_r1_ros.text import clean_text
from scene_r1_ros.types import Frame

OK, FAILED, BAD = 0, 1, 2

app = typer.Typer(
    name="scene-r1",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(data, name="data")
app.add_typer(train, name="train")
console = Console(emoji=False)  # paths have colons
errors = Console(stderr=True, emoji=False)

SequenceOption = Annotated[
    Path,
    typer.Option("--sequence", "-s", help="A folder of frames, a TUM RGB-D folder, or a ROS 2 bag (mcap, sqlite3)."),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="Which mind answers: [b]recorded:FILE[/b], [b]transformers:FOLDER-OR-NAME[/b] or, on a server that speaks "
        "OpenAI's protocol (vLLM, SGLang), [b]openai:http://HOST:8000/v1#MODEL[/b]; its key, if it wants one, in the "
        "environment as SCENE_R1_API_KEY or OPENAI_API_KEY.",
    ),
]
TrackerOption = Annotated[
    str,
    typer.Option(
        "--tracker",
        "-t",
        help="How the box becomes masks: [b]geometric[/b], [b]sam2:FILE-OR-NAME[/b] or "
        "[b]transformers:FOLDER-OR-NAME[/b].",
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML with what differs from `scene-r1 config`.")
]
OutOption = Annotated[
    Path,
    typer.Option("--out", "-o", help="Where answer.json goes; of what is found, object_N.ply, overlay.png, scene.png."),
]

StepsOption = Annotated[
    bool, typer.Option("--steps", help="Also write steps.png: masks, votes and box, or what did not hold.")
]


def print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"scene-r1 {__version__}", highlight=False)
        raise typer.Exit(OK)


@app.callback()
def scene_r1(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """From a sentence to a 3D mask, a box and the reasoning behind it, out of posed RGB-D video."""


@app.command()
def ground(
    query: Annotated[str, typer.Argument(help='What to find, e.g. "the red mug left of the sink".')],
    sequence: SequenceOption,
    model: ModelOption = "",
    tracker: TrackerOption = "",
    box: Annotated[
        str, typer.Option("--box", "-b", help="Your own box instead of a model: FRAME:x1,y1,x2,y2 in pixels.")
    ] = "",
    out: OutOption = Path("out/ground"),
    steps: StepsOption = False,
    config: ConfigOption = None,
) -> None:
    """Find what a sentence names: a 3D mask, a box and the reasoning."""
    from scene_r1_ros.offline import ground_sequence, parse_box
    from scene_r1_ros.report.save import writable

    if box and model:
        raise BadInput(f"--box {box} is answered without a model, and --model {model} was given; leave one of them out")
    writable(out)
    chosen = configuration(config, model, tracker)
    drawn = parse_box(box) if box else None
    finish(*ground_sequence(query, sequence, chosen, drawn, console), out, chosen, steps)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help='A question about the scene, e.g. "how many chairs are there?".')],
    sequence: SequenceOption,
    model: ModelOption = "",
    tracker: TrackerOption = "",
    out: OutOption = Path("out/ask"),
    steps: StepsOption = False,
    config: ConfigOption = None,
) -> None:
    """Answer a question about the scene from the video; where it asks where something is, find that too."""
    from scene_r1_ros.offline import ask_sequence
    from scene_r1_ros.report.save import writable

    writable(out)
    chosen = configuration(config, model, tracker)
    finish(*ask_sequence(question, sequence, chosen, console), out, chosen, steps)


@app.command()
def info(path: Annotated[Path, typer.Argument(help="A folder of frames, a TUM RGB-D folder, or a ROS 2 bag.")]) -> None:
    """Say what a sequence or bag holds, and what is wrong with it."""
    from scene_r1_ros.report.terminal import print_report
    from scene_r1_ros.sequences import describe

    logging.getLogger("scene_r1_ros.sequences").setLevel(logging.ERROR)  # the report names what is skipped
    report = describe(path)
    print_report(report, console)
    raise typer.Exit(BAD if report.frames == 0 else OK)


@app.command("config")
def show_config(config: ConfigOption = None) -> None:
    """Print every setting with its help and value, as YAML that `--config` takes."""
    chosen = configuration(config, "", "")
    sys.stdout.write(settings.dump(chosen))


@app.command()
def replay(
    path: Annotated[Path, typer.Argument(help="A folder of frames, a TUM RGB-D folder, or a ROS 2 bag.")],
    rate: Annotated[float, typer.Option(help="Times the recorded speed.")] = 1.0,
    loop: Annotated[bool, typer.Option(help="Start over at the end.")] = False,
) -> None:
    """Play a sequence or bag as ROS 2 topics: rgb/image, depth/image, rgb/camera_info, pose, and /clock."""
    main = needs_ros("replay").main
    parameters = [f"sequence:={json.dumps(str(path))}", f"rate:={rate}", f"loop:={str(loop).lower()}"]
    raise typer.Exit(main(["replay", "--ros-args", *(word for p in parameters for word in ("-p", p))]))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the room and the answers go.")] = Path("out/demo"),
    seed: Annotated[int, typer.Option(help="Which room.", min=0)] = 0,
) -> None:
    """Render a room, replay it over DDS, and ask the running server three queries and a question."""
    raise typer.Exit(needs_ros("demo").run_demo(out, seed, console))


@app.command()
def bench(
    what: Annotated[
        What,
        typer.Argument(
            help="masks: accuracy; lift: speed, growth, memory; tracker; calibration; reuse: a second query; ros."
        ),
    ] = What.ALL,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the figures go, as JSON.")] = Path("out/bench.json"),
) -> None:
    """Measure beside what others do, in one run; exit code 1 where a target is missed. Only ros and all need ROS."""
    if what.needs_ros:
        needs_ros("qos")  # a clear message where ROS is missing
    from scene_r1_ros.evaluation.bench import run_bench

    raise typer.Exit(run_bench(what, out, console))


def needs_ros(module: str) -> ModuleType:
    """Import a module of ``scene_r1_ros.ros``, or say how to get ROS."""
    from importlib import import_module

    try:
        return import_module(f"scene_r1_ros.ros.{module}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("scene_r1_ros.ros"):
            raise
        remedy = "source your ROS setup.bash, or use `make demo`"
        raise BadInput(f"this command needs ROS 2 ({error.name} is missing): {remedy}") from error


def configuration(path: Path | None, model: str, tracker: str) -> settings.Config:
    """The settings of a file, with what the command line says on top."""
    from scene_r1_ros.reasoning.models import FORMS

    chosen = settings.load(path) if path else settings.Config()
    if model and model.partition(":")[0] not in FORMS:
        raise BadInput(f"--model {settings.shown(model)}; expected {', '.join(FORMS.values())}")
    if model:
        chosen = replace(chosen, model=settings.override(chosen.model, kind_and_path(model), "--model"))
    if tracker.startswith("geometric:"):
        raise BadInput(f"--tracker {tracker}: the geometric tracker has no file; say --tracker geometric")
    if tracker:
        chosen = replace(chosen, tracker=settings.override(chosen.tracker, kind_and_path(tracker), "--tracker"))
    return chosen


def kind_and_path(option: str) -> dict[str, str]:
    """What ``KIND`` or ``KIND:PATH`` says, as settings."""
    kind, _, path = option.partition(":")
    return {"kind": kind, "path": path}


def finish(
    answer: Answer, frames: Sequence[Frame], out: Path, chosen: settings.Config, with_steps: bool = False
) -> NoReturn:
    """Print an answer, save it, and leave with its exit code. What is refused or fails replaces no older answer."""
    from scene_r1_ros.report.save import save_answer
    from scene_r1_ros.report.terminal import exit_code, print_answer, print_files

    code = exit_code(answer)
    print_answer(answer, console)  # first: it shall not be lost where it cannot be written
    if answer.status != "error":
        print_files(save_answer(answer, frames, out, chosen.lift, with_steps), console)
    raise typer.Exit(code)


def main() -> None:
    handler = RichHandler(console=errors, show_path=False, show_time=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    logging.getLogger("huggingface_hub").propagate = False  # it prints its warnings itself
    try:
        app()
    except SceneR1Error as error:
        errors.print("[red]scene-r1:[/red]", end=" ")
        # As text, which no terminal obeys, and in one line, so that no path is broken into two.
        errors.print(clean_text(str(error)), markup=False, highlight=False, soft_wrap=True)
        sys.exit(FAILED if isinstance(error, NotWritten) else BAD)
    except KeyboardInterrupt:
        errors.print("interrupted")
        sys.exit(130)


if __name__ == "__main__":
    main()
