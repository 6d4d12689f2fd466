# SPDX-License-Identifier: Apache-2.0
"""What GRPO takes of a GPU's memory, part by part. An estimate: what the allocator loses comes on top."""

from dataclasses import replace

from rich.console import Console
from rich.table import Table

from scene_r1_ros.learning.big.settings import TrlSettings, check_batch, writing_steps
from scene_r1_ros.learning.big.shapes import Shape, shape_of

FLOAT32, BFLOAT16 = 4, 2  # bytes
PATCHES_PER_TOKEN = 4  # of an image: 2x2 are merged

Parts = dict[str, float]  # name -> bytes on each GPU


def kept_parts(shape: Shape, settings: TrlSettings, gpus: int) -> Parts:
    """What is there all the time.

    LoRA: the base in bfloat16 and the adapter in float32 (weight 4 bytes, gradient 4, two moments of Adam 8). The base
    with its adapter switched off is the reference of the KL term.

    All weights on one GPU: float32 weights 4 bytes each and the bfloat16 copies that autocast keeps 2; of those that
    learn, gradients 4 and moments 8; the reference is loaded like the policy, 4.

    All weights on several (DeepSpeed ZeRO-3, arXiv 1910.02054): bfloat16 weights 2, their float32 masters 4, gradients
    2, moments 8, reference 2, each split over the GPUs; a layer at a time is put together to compute.
    """
    n, learned = shape.parameters, learned_parameters(shape, settings)
    if settings.lora:
        return {
            "weights": (n * BFLOAT16 + learned * FLOAT32) / gpus,
            "gradients": learned * FLOAT32 / gpus,
            "Adam": learned * 2 * FLOAT32 / gpus,
        }
    one = gpus == 1
    return {
        "weights": (FLOAT32 + BFLOAT16) * n / gpus,
        "gradients": learned * (FLOAT32 if one else BFLOAT16) / gpus,
        "Adam": learned * 2 * FLOAT32 / gpus,
        **({"reference model": n * (FLOAT32 if one else BFLOAT16) / gpus} if settings.beta else {}),
    }


def learned_parameters(shape: Shape, settings: TrlSettings) -> int:
    if settings.lora:
        return shape.lora
    return shape.parameters if settings.train_vision else shape.language


def writing_parts(shape: Shape, settings: TrlSettings, gpus: int, prompt_tokens: int) -> Parts:
    """While replies are written, as many at once as ``writing_steps`` says.

    Through transformers each of them has a cache of keys and values for its whole prompt, and its images go through the
    vision tower with all others. vLLM on the same GPU has weights of its own and keeps a prompt once for its group; on
    a server it takes nothing here.
    """
    replies = settings.per_device_batch * writing_steps(settings, gpus)
    per_token = shape.layers * shape.kv_width * BFLOAT16
    if settings.vllm == "colocate":
        tokens = replies * (prompt_tokens / settings.num_generations + settings.max_completion_tokens)
        return {"vLLM": shape.parameters * BFLOAT16 + tokens * per_token}
    if settings.vllm:
        return {}
    return {
        "cache of keys and values": replies * (prompt_tokens + settings.max_completion_tokens) * per_token,
        "images in the vision tower": vision_bytes(shape, replies * prompt_tokens),
    }


def learning_parts(shape: Shape, settings: TrlSettings, prompt_tokens: int) -> Parts:
    """While gradients are computed, ``per_device_batch`` replies at once. With checkpointing, the input of each layer
    is kept, and one layer is computed again at a time; without, what every layer computes is kept.
    """
    tokens = settings.per_device_batch * (prompt_tokens + settings.max_completion_tokens)
    layer, inputs = tokens * layer_bytes(shape.hidden, shape.intermediate, shape.kv_width), tokens * shape.hidden
    kept = shape.layers * inputs * BFLOAT16 + layer if settings.gradient_checkpointing else shape.layers * layer
    seen = settings.per_device_batch * prompt_tokens
    parts: Parts = {"activations": kept, "images in the vision tower": vision_bytes(shape, seen)}
    if settings.train_vision:
        width, patches = shape.vision_hidden, seen * PATCHES_PER_TOKEN
        layer = patches * layer_bytes(width, shape.vision_intermediate, 2 * width)
        kept = shape.vision_layers * patches * width * BFLOAT16 + layer
        parts["activations of vision"] = kept if settings.gradient_checkpointing else shape.vision_layers * layer
    return parts


def layer_bytes(hidden: int, intermediate: int, kv_width: int) -> int:
    """What one layer keeps of a token for its gradients, bytes in bfloat16: the inputs of two norms (float32) and of
    the layers behind them, queries, what attention gives and its projection; keys and values; three of the SwiGLU's
    inner width and its product.
    """
    return 2 * FLOAT32 * hidden + BFLOAT16 * (6 * hidden + kv_width + 4 * intermediate)


def vision_bytes(shape: Shape, image_tokens: int) -> int:
    """What a layer of the vision tower takes, without gradients, for the patches of so many tokens, bytes: its input, a
    norm of it, and three of the SwiGLU's inner width. That a prompt is nearly all images makes this an upper bound.
    """
    width = BFLOAT16 * (2 * shape.vision_hidden + 3 * shape.vision_intermediate)
    return image_tokens * PATCHES_PER_TOKEN * width


def total(shape: Shape, settings: TrlSettings, gpus: int, prompt_tokens: int) -> float:
    """Bytes on each GPU when it is fullest."""
    phases = (writing_parts(shape, settings, gpus, prompt_tokens), learning_parts(shape, settings, prompt_tokens))
    sums = [sum(parts.values()) for parts in phases]
    # vLLM keeps what it has while gradients are computed.
    extra = sum(sums) if settings.vllm == "colocate" else max(sums)
    return sum(kept_parts(shape, settings, gpus).values()) + extra


def print_estimates(model: str, settings: TrlSettings, gpus: int, prompt_tokens: int, console: Console) -> None:
    """A table of all parts, GiB on each GPU, with LoRA and with all weights.

    Raises:
        BadInput: nothing is known of the model, or the settings do not go with so many GPUs.
    """
    check_batch(settings, gpus)
    columns = []
    shape = shape_of(model, settings.lora_rank, settings.train_vision)
    for lora in (True, False):
        chosen = replace(settings, lora=lora)
        columns.append(
            {
                **kept_parts(shape, chosen, gpus),
                **{
                    f"writing: {name}": part for name, part in writing_parts(shape, chosen, gpus, prompt_tokens).items()
                },
                **{f"learning: {name}": part for name, part in learning_parts(shape, chosen, prompt_tokens).items()},
                "all, when it is fullest": total(shape, chosen, gpus, prompt_tokens),
            }
        )
    shared = f"each of {gpus} GPUs (ZeRO-3)" if gpus > 1 else "one GPU"
    replies = (
        f"{settings.per_device_batch} replies x {settings.accumulation} of {settings.max_completion_tokens} tokens"
    )
    console.print(f"{model}: {shape.parameters / 1e9:.2f} billion parameters, {shape.lora / 1e6:.1f} million of LoRA; "
                  f"{replies} to prompts of {prompt_tokens} tokens; GiB on {shared}", highlight=False)  # fmt: skip
    table = Table("part", "LoRA (GiB)", "all weights (GiB)")
    for name in max(columns, key=len):
        cells = [f"{parts[name] / 2**30:.1f}" if name in parts else "" for parts in columns]
        table.add_row(name, *cells, style="bold" if name.startswith("all,") else None)
    console.print(table)
