# SPDX-License-Identifier: Apache-2.0
"""The commands ``scene-r1 train``: models that learn from samples."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Models that learn to see from 2D boxes, time windows and text answers.",
)
console = Console(emoji=False)  # paths have colons

SamplesArgument = Annotated[Path, typer.Argument(help="jsonl of samples, with their images in its folder.")]
SpecOption = Annotated[
    str, typer.Option("--spec", help="How the model is asked: a YAML of config/models by name, or a path.")
]


@app.command()
def trl(
    samples: SamplesArgument,
    model: Annotated[str, typer.Option("--model", "-m", help="A checkpoint: its folder, or its name on the hub.")],
    spec: SpecOption = "qwen2_5_vl",
    out: Annotated[Path, typer.Option("--out", "-o", help="Where checkpoints, curves and the result go.")] = Path(
        "out/train"
    ),
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="YAML with what differs from config/train/grpo.yaml.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", help="Updates of the weights; 0: as the YAML says.", min=0)] = 0,
    full: Annotated[bool, typer.Option("--full", help="Learn all weights instead of a LoRA adapter.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
) -> None:
    """GRPO of a Qwen2.5-VL or Qwen3-VL checkpoint through TRL, on samples with images."""
    from scene_r1_ros.learning.big.settings import load_settings
    from scene_r1_ros.learning.big.train import train_trl
    from scene_r1_ros.reasoning.models import make_spec

    train_trl(samples, model, make_spec(spec), out, load_settings(config, steps, full), resume, console)


@app.command()
def memory(
    model: Annotated[str, typer.Option("--model", "-m", help="3b or 7b (Qwen2.5-VL), or a folder with config.json.")],
    gpus: Annotated[int, typer.Option(help="GPUs that share the weights (ZeRO-3).", min=1)] = 1,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="YAML with what differs from config/train/grpo.yaml.")
    ] = None,
    prompt_tokens: Annotated[
        int, typer.Option(help="Tokens of a prompt; 16 frames of 512 tokens and the words take 8500.", min=1)
    ] = 8500,
) -> None:
    """Estimate what GRPO takes of each GPU's memory, part by part, with LoRA and with all weights."""
    from scene_r1_ros.learning.big.memory import print_estimates
    from scene_r1_ros.learning.big.settings import load_settings

    print_estimates(model, load_settings(config), gpus, prompt_tokens, console)


@app.command()
def sft(
    samples: SamplesArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where checkpoints, curves and model/ go.")] = Path(
        "out/nano"
    ),
    val: Annotated[
        Path | None, typer.Option(help="Samples of other scenes to judge by; none: every 25th scene is held out.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="YAML with what differs from config/train/nano.yaml.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
) -> None:
    """Train a nano model from nothing: a few million parameters, for a robot without a GPU.

    Example: [b]scene-r1 data rooms out/rooms --rooms 200[/b], then [b]scene-r1 train sft out/rooms/samples.jsonl[/b].
    """
    from scene_r1_ros.learning.nano.run import train_sft
    from scene_r1_ros.learning.nano.settings import load_sft

    train_sft(samples, val, out, load_sft(config), resume, console)
