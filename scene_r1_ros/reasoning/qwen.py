# SPDX-License-Identifier: Apache-2.0
"""Qwen2.5-VL and Qwen3-VL through transformers, from a local folder or by hub name.

Needs neither torchvision nor the checkpoint's processor class: the Pillow image processor and the tokenizer suffice.
Frames are given as images with their times in the text between them, because the video path of the processors loses
the times where no video metadata goes with the frames.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scene_r1_ros.checkpoints import chosen_device, is_hub_name
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.prompting import caption, instruction, prompt
from scene_r1_ros.reasoning.protocol import ModelSpec, Reply, Request

ARCHITECTURES = ("qwen2_5_vl", "qwen3_vl")
IMAGE_PAD = "<|image_pad|>"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
MIN_PIXELS = 56 * 56  # of an image at the model's input, as in the published checkpoints


class TransformersModel:
    """A Qwen VL checkpoint. Weights are read from safetensors only, and no code of a checkpoint is ever run.

    Raises:
        ModelFailed: it cannot be loaded, with the reason and the remedy.
    """

    def __init__(self, path_or_name: str, spec: ModelSpec, device: str = "auto"):
        self.spec = spec
        torch, transformers = _libraries()
        self.device = chosen_device(device, "model.device")
        source = _checked_source(path_or_name)
        try:
            self._load(source, torch, transformers)
        except ModelFailed:
            raise
        except Exception as error:  # four libraries read the files of a checkpoint, each with exceptions of its own
            raise ModelFailed(
                f"model {path_or_name!r} cannot be loaded: {error}; give a folder or a hub name with config.json, "
                f"tokenizer, preprocessor_config.json and safetensors weights of {' or '.join(ARCHITECTURES)}"
            ) from error

    def _load(self, source: str, torch: Any, transformers: Any) -> None:
        options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": Path(source).is_dir()}
        config = transformers.AutoConfig.from_pretrained(source, **options)
        _check_architecture(source, config.model_type, self.spec)
        self._images = transformers.AutoImageProcessor.from_pretrained(source, backend="pil", **options)
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
        # Without its files transformers makes an empty tokenizer, without some weights random ones, and only warns.
        if self._tokenizer.convert_tokens_to_ids(IMAGE_PAD) != config.image_token_id:
            raise ValueError(f"its tokenizer does not know {IMAGE_PAD} as token {config.image_token_id}")
        model, loaded = transformers.AutoModelForImageTextToText.from_pretrained(
            source,
            dtype=torch.bfloat16 if self.device == "cuda" else torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
        if loaded["missing_keys"]:
            raise ValueError(f"its weights lack {len(loaded['missing_keys'])} tensors of this architecture")
        self._model = model.to(self.device).eval()

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply:
        """Greedy, one stream of words. ``should_stop`` is polled after every token."""
        inputs, image_sizes_wh = self._inputs(request)
        n_input = inputs["input_ids"].shape[1]
        if should_stop():
            return Reply("", image_sizes_wh, n_input)
        output = self._generate(inputs, on_text, should_stop)[0, n_input:]
        text = self._tokenizer.decode(output, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return Reply(text, image_sizes_wh, n_input, len(output))

    def _generate(self, inputs: dict[str, Any], on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Any:
        import torch

        try:
            with torch.inference_mode():
                return self._model.generate(
                    **inputs,
                    generation_config=self._generation_config(),
                    streamer=_streamer(self._tokenizer, on_text),
                    stopping_criteria=_stopping(should_stop),
                )
        except torch.OutOfMemoryError as error:
            raise ModelFailed(
                f"{self.spec.name} ran out of memory on {self.device} with {inputs['input_ids'].shape[1]} tokens: "
                f"{error}; lower max_frames or max_pixels in its YAML, or use a smaller model"
            ) from error

    def _generation_config(self) -> Any:
        from transformers import GenerationConfig

        own = self._model.generation_config
        return GenerationConfig(
            do_sample=False,
            repetition_penalty=1.0,  # published configs have 1.05, which pushes repeated digits of boxes away
            max_new_tokens=self.spec.max_new_tokens,
            eos_token_id=own.eos_token_id or self._tokenizer.eos_token_id,
            pad_token_id=self._tokenizer.pad_token_id,
        )

    def _inputs(self, request: Request) -> tuple[dict[str, Any], tuple[tuple[int, int], ...]]:
        """What goes into ``generate``, and the size (w, h) in pixels of each frame as the model sees it."""
        from PIL import Image

        size = {"shortest_edge": min(MIN_PIXELS, self.spec.max_pixels), "longest_edge": self.spec.max_pixels}
        images = self._images(
            [Image.fromarray(frame.color) for frame in request.frames], size=size, return_tensors="pt"
        )
        grids = images["image_grid_thw"].tolist()  # (frames, 3): t = 1, and rows and columns of patches
        text = self._tokenizer.apply_chat_template(messages(request), tokenize=False, add_generation_prompt=True)
        tokens = self._tokenizer(_expanded(text, grids, self._images.merge_size), return_tensors="pt")
        image_id = self._tokenizer.convert_tokens_to_ids(IMAGE_PAD)
        inputs = {
            **tokens,
            **images,
            "mm_token_type_ids": (tokens["input_ids"] == image_id).int(),  # 1 where a piece of an image stands
        }
        patch = self._images.patch_size
        sizes_wh = tuple((columns * patch, rows * patch) for _, rows, columns in grids)
        return {name: tensor.to(self.device) for name, tensor in inputs.items()}, sizes_wh


def messages(request: Request) -> list[dict[str, Any]]:
    """The conversation for a chat template: system text, frames with their times, then what is asked about them."""
    content: list[dict[str, str]] = []
    for time_s in request.times_s:
        if request.task != "image":
            content.append({"type": "text", "text": caption(time_s)})
        content.append({"type": "image"})
    content.append({"type": "text", "text": instruction(request)})
    return [
        {"role": "system", "content": [{"type": "text", "text": prompt("system")}]},
        {"role": "user", "content": content},
    ]


def _expanded(text: str, grids: list[list[int]], merge: int) -> str:
    """Each image's one token, repeated as often as the model gets embeddings for it."""
    pieces = text.split(IMAGE_PAD)
    if len(pieces) != len(grids) + 1:
        raise ModelFailed(
            f"the chat template places {len(pieces) - 1} images where {len(grids)} were given; "
            "use the template of the published Qwen VL checkpoints (chat_template.jinja)"
        )
    counts = [rows * columns // merge**2 for _, rows, columns in grids]
    return pieces[0] + "".join(IMAGE_PAD * n + piece for n, piece in zip(counts, pieces[1:], strict=True))


def _libraries() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except (ImportError, OSError) as error:  # OSError: a shared library of torch is missing
        raise ModelFailed(
            f"torch and transformers are needed to run a language model here: {error}; "
            "pip install torch transformers safetensors"
        ) from error
    return torch, transformers


def _checked_source(path_or_name: str) -> str:
    """A folder whose weights are not pickled, or a hub name."""
    folder = Path(path_or_name).expanduser()
    if not folder.is_dir():
        if is_hub_name(path_or_name):
            return path_or_name
        raise ModelFailed(
            f"model.path = {path_or_name!r} is no folder; give the folder of a checkpoint, "
            "or a hub name such as Qwen/Qwen2.5-VL-7B-Instruct"
        )
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles and not any(folder.glob("*.safetensors")):
        raise ModelFailed(
            f"model folder {path_or_name!r} holds its weights pickled ({', '.join(pickles[:3])}), and loading a pickle "
            "runs whatever code it holds; convert them to safetensors where you trust them"
        )
    return str(folder)


def _check_architecture(source: str, model_type: str, spec: ModelSpec) -> None:
    if model_type not in ARCHITECTURES:
        raise ModelFailed(
            f"model {source!r} is a {model_type!r}; expected one of {', '.join(ARCHITECTURES)} "
            "(Qwen2.5-VL, Qwen3-VL, or a checkpoint fine-tuned from them)"
        )
    if model_type != spec.architecture:
        raise ModelFailed(
            f"model {source!r} is a {model_type}, but the spec {spec.name!r} is for {spec.architecture}, which writes "
            f"boxes in another way; set model.spec: {model_type}"
        )


def _streamer(tokenizer: Any, on_text: Callable[[str], None]) -> Any:
    from transformers import TextStreamer

    class Words(TextStreamer):
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            if text:
                on_text(text)

    return Words(tokenizer, skip_prompt=True, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _stopping(should_stop: Callable[[], bool]) -> Any:
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    class Asked(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
            return torch.full((len(input_ids),), should_stop(), dtype=torch.bool, device=input_ids.device)

    return StoppingCriteriaList([Asked()])
