# SPDX-License-Identifier: Apache-2.0
"""A Qwen VL checkpoint from a folder or the hub, or a LoRA adapter on one: checked, and then loaded.

Weights are read from safetensors only, and no code of a checkpoint is ever run. Neither torchvision nor the
checkpoint's processor class is needed: the Pillow image processor and the tokenizer suffice.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from scene_r1_ros.checkpoints import chosen_device, import_transformers, is_hub_name
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.protocol import ModelSpec
from scene_r1_ros.reasoning.qwen.prompt import IMAGE_PAD
from scene_r1_ros.reasoning.qwen.weights import NO_ROOM, check_room, chosen_dtype, is_out_of_memory, refuse_pickles

ARCHITECTURES = ("qwen2_5_vl", "qwen3_vl")
MAX_JSON_BYTES = 2**20
FILES = ("*.json", "*.jinja", "*.txt", "*.safetensors")  # of a checkpoint on the hub
ADAPTER = "adapter_config.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds, as objects of transformers; the model is on its device."""

    model: Any
    tokenizer: Any
    images: Any  # the image processor


def load_checkpoint(path_or_name: str, spec: ModelSpec, wanted_device: str, dtype: Any = None) -> Checkpoint:
    """Load a checkpoint, or a LoRA adapter and the checkpoint it was trained on.

    Args:
        path_or_name: a folder, or a name on the hub.
        spec: whose architecture it must be.
        wanted_device: ``auto``, ``cpu`` or ``cuda``.
        dtype: of torch, of its weights; None: what suits the device, see ``chosen_dtype``.

    Raises:
        ModelFailed: it cannot be loaded, with the reason and the remedy.
    """
    import_transformers("torch and transformers are needed to run a language model here")
    device = chosen_device(wanted_device, "model.device")
    try:
        folder = _folder_of(path_or_name)
        if (folder / ADAPTER).is_file():
            base = _load(_folder_of(_base_of(folder)), spec, device, dtype)
            return Checkpoint(_adapted(base.model, folder), base.tokenizer, base.images)
        return _load(folder, spec, device, dtype)
    except ModelFailed:
        raise
    except Exception as error:  # four libraries read the files of a checkpoint, each with exceptions of its own
        if is_out_of_memory(error):
            raise ModelFailed(f"model {path_or_name!r} finds no room on {device}: {error}; {NO_ROOM}") from error
        raise ModelFailed(
            f"model {path_or_name!r} cannot be loaded: {error}; give a folder or a hub name with config.json, "
            f"tokenizer, preprocessor_config.json and safetensors weights of {' or '.join(ARCHITECTURES)}"
        ) from error


def _load(folder: Path, spec: ModelSpec, device: str, dtype: Any) -> Checkpoint:
    import transformers

    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    config = transformers.AutoConfig.from_pretrained(folder, **options)
    _check_architecture(folder, config, spec)
    refuse_pickles(folder)
    dtype = dtype or chosen_dtype(folder, device)
    check_room(folder, dtype, device)
    images = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil", **options)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
    # Without its files transformers makes an empty tokenizer, without some weights random ones, and only warns.
    if tokenizer.convert_tokens_to_ids(IMAGE_PAD) != config.image_token_id:
        raise ValueError(f"its tokenizer does not know {IMAGE_PAD} as token {config.image_token_id}")
    model, loaded = cast(
        tuple[Any, dict[str, Any]],
        transformers.AutoModelForImageTextToText.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **options
        ),
    )
    if loaded["missing_keys"]:
        raise ValueError(f"its weights lack {len(loaded['missing_keys'])} tensors of this architecture")
    return Checkpoint(model.to(device).eval(), tokenizer, images)


def _folder_of(path_or_name: str) -> Path:
    """The folder of a checkpoint; one on the hub is downloaded first, without anything that could be code."""
    folder = Path(path_or_name).expanduser()
    if folder.is_dir():
        return folder
    if not is_hub_name(path_or_name):
        raise ModelFailed(
            f"model.path = {path_or_name!r} is no folder; give the folder of a checkpoint, "
            "or a hub name such as Qwen/Qwen2.5-VL-7B-Instruct"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(path_or_name, allow_patterns=list(FILES)))
    except Exception as error:  # of the hub's library, of the network, or of the disk
        raise ModelFailed(
            f"model {path_or_name!r} cannot be downloaded ({type(error).__name__}); check its name and the network, or "
            "download it elsewhere and give its folder"
        ) from error


def _base_of(adapter: Path) -> str:
    """The checkpoint that an adapter was trained on: its config names it."""
    with (adapter / ADAPTER).open("rb") as file:
        config = json.loads(file.read(MAX_JSON_BYTES))
    base = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    if not isinstance(base, str) or not (is_hub_name(base) or (Path(base).expanduser() / "config.json").is_file()):
        raise ModelFailed(
            f"the adapter in {adapter} was trained on {base!r}, which is no checkpoint here; write the folder or the "
            f"hub name of its base into base_model_name_or_path in {ADAPTER}"
        )
    log.info("the adapter in %s is one on %s", adapter, base)
    return base


def _adapted(model: Any, adapter: Path) -> Any:
    """The model with an adapter merged into its weights: as quick as without."""
    weights = adapter / "adapter_model.safetensors"
    if not weights.is_file():
        refuse_pickles(adapter)
        raise ModelFailed(f"the adapter in {adapter} has no {weights.name}; store it with peft's save_pretrained")
    try:
        from peft import PeftConfig, get_peft_model, set_peft_model_state_dict
    except ImportError as error:
        raise ModelFailed(f"the adapter in {adapter} needs peft: {error}; pip install peft") from error
    from safetensors.torch import load_file

    adapted = get_peft_model(model, PeftConfig.from_pretrained(str(adapter)))
    loaded: Any = set_peft_model_state_dict(adapted, load_file(weights))
    missing = [name for name in loaded.missing_keys if "lora_" in name]
    if missing or loaded.unexpected_keys:
        raise ModelFailed(
            f"{weights} lacks {len(missing)} tensors of the adapter that {ADAPTER} describes, and has "
            f"{len(loaded.unexpected_keys)} that are none of it; was it trained on another base?"
        )
    return adapted.merge_and_unload().eval()


def _check_architecture(folder: Path, config: Any, spec: ModelSpec) -> None:
    if config.model_type not in ARCHITECTURES:
        raise ModelFailed(
            f"model {str(folder)!r} is a {config.model_type!r}; expected one of {', '.join(ARCHITECTURES)} "
            "(Qwen2.5-VL, Qwen3-VL, or a checkpoint fine-tuned from them)"
        )
    if config.model_type != spec.architecture:
        raise ModelFailed(
            f"model {str(folder)!r} is a {config.model_type}, but the spec {spec.name!r} is for {spec.architecture}, "
            f"which writes boxes in another way; set model.spec: {config.model_type}"
        )
    multiple = config.vision_config.patch_size * config.vision_config.spatial_merge_size
    if multiple != spec.image_multiple:
        raise ModelFailed(
            f"model {str(folder)!r} sees images in multiples of {multiple} pixels, but the spec {spec.name!r} says "
            f"image_multiple: {spec.image_multiple}; correct it there"
        )
