# SPDX-License-Identifier: Apache-2.0
"""SAM 2.1 with the ``sam2`` package (Ravi et al. 2024, "SAM 2: Segment Anything in Images and Videos").

Its video predictor is fed frame by frame from memory, and made to forget what its memory bank does not look at.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scene_r1_ros.checkpoints import chosen_device, is_hub_name
from scene_r1_ros.config import TrackerConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.tracking.checkpoints import read_weights
from scene_r1_ros.tracking.protocol import Prompt
from scene_r1_ros.tracking.video import LearnedTracker, Pixels, Seen, box_corners, drawn_pixels, forgotten
from scene_r1_ros.types import Frame, Mask

# The files of https://huggingface.co/facebook, the same as of https://dl.fbaipublicfiles.com/segment_anything_2/092824.
HUB_FILES = {
    "facebook/sam2.1-hiera-tiny": "sam2.1_hiera_tiny.pt",
    "facebook/sam2.1-hiera-small": "sam2.1_hiera_small.pt",
    "facebook/sam2.1-hiera-base-plus": "sam2.1_hiera_base_plus.pt",
    "facebook/sam2.1-hiera-large": "sam2.1_hiera_large.pt",
}
# Width of the first layer and number of blocks of the image encoder -> the package's configuration.
SIZES = {(96, 12): "t", (96, 16): "s", (112, 24): "b+", (144, 48): "l"}
PATCHES, BLOCK = "image_encoder.trunk.patch_embed.proj.weight", "image_encoder.trunk.blocks."
# What the package sets for its own demonstrations: the steadier of several masks, and memory as a user saw the mask.
OVERRIDES = [
    "++model.sam_mask_decoder_extra_args.dynamic_multimask_via_stability=true",
    "++model.sam_mask_decoder_extra_args.dynamic_multimask_stability_delta=0.05",
    "++model.sam_mask_decoder_extra_args.dynamic_multimask_stability_thresh=0.98",
    "++model.binarize_mask_from_pts_for_mem_enc=true",
]


class Sam2Tracker(LearnedTracker):
    """A SAM 2.1 checkpoint, from a file or by hub name; which of the four sizes it is, its tensors tell.

    Args:
        image_size: side of the square the model sees, pixels; published checkpoints are trained at 1024.

    Raises:
        ModelFailed: it cannot be loaded, with the reason and the remedy.
    """

    def __init__(self, config: TrackerConfig, image_size: int = 1024):
        build = _library()
        self.config = config
        self.device = chosen_device(config.device, "tracker.device")
        path = _downloaded(config.path) if is_hub_name(config.path) else Path(config.path).expanduser()
        weights = read_weights(path)
        name = f"configs/sam2.1/sam2.1_hiera_{_size(weights, path)}.yaml"
        overrides = [*OVERRIDES, f"++model.image_size={image_size}"]
        self._model = build(name, device="cpu", apply_postprocessing=False, hydra_overrides_extra=overrides)
        try:
            self._model.load_state_dict(weights)
        except RuntimeError as error:
            raise ModelFailed(
                f"tracker checkpoint {str(path)!r} is no SAM 2.1 as {name} describes it: {str(error)[:300]}; "
                f"take one of {', '.join(HUB_FILES.values())}"
            ) from error
        self._model.to(self.device)

    def _session(self, frames: Sequence[Frame]) -> "Sam2Session":
        return Sam2Session(self._model, frames)


class Sam2Session:
    """The state the predictor works on, which its own ``init_state`` would fill from files."""

    def __init__(self, model: Any, frames: Sequence[Frame]):
        self.model = model
        side = model.image_size
        self.state: dict[str, Any] = {
            "images": Pixels(frames, side),
            "num_frames": len(frames),
            "video_height": side // 4,  # the size of its logits: each frame's own size is made of them elsewhere
            "video_width": side // 4,
            "device": model.device,
            "storage_device": model.device,
            "cached_features": {},
            "constants": {},
            "obj_id_to_idx": {},
            "obj_idx_to_id": {},
            "obj_ids": [],
        }
        by_object = ("point_inputs", "mask_inputs", "output_dict", "temp_output_dict", "frames_tracked")
        self.state.update({f"{name}_per_obj": {} for name in by_object})
        self.sources: dict[int, int] = {}
        self.reach = max(model.num_maskmem, model.max_obj_ptrs_in_encoder) - 1

    def prompt(self, number: int, index: int, prompt: Prompt) -> Seen:
        self.sources[number] = index
        side = self.model.image_size
        if isinstance(prompt, Mask):
            self.model.add_new_mask(self.state, index, number, drawn_pixels(prompt, side))
        else:
            corners = box_corners(prompt, side) / side
            self.model.add_new_points_or_box(self.state, index, number, box=corners, normalize_coords=False)
        self.model.propagate_in_video_preflight(self.state)
        return _seen(self._outputs(number)["cond_frame_outputs"][index])

    def follow(self, number: int, index: int, reverse: bool) -> Seen:
        outputs = self._outputs(number)
        output, _ = self.model._run_single_frame_inference(
            inference_state=self.state,
            output_dict=outputs,
            frame_idx=index,
            batch_size=1,
            is_init_cond_frame=False,
            point_inputs=None,
            mask_inputs=None,
            reverse=reverse,
            run_mem_encoder=True,
        )
        kept = outputs["non_cond_frame_outputs"]
        kept[index] = output
        for old in forgotten(list(kept), index, self.sources[number], self.reach, reverse):
            del kept[old]
        return _seen(output)

    def _outputs(self, number: int) -> dict[str, dict[int, Any]]:
        return self.state["output_dict_per_obj"][self.state["obj_id_to_idx"][number]]


def _seen(output: dict[str, Any]) -> Seen:
    return Seen(output["pred_masks"][0, 0], output["object_score_logits"].flatten()[0])


def _library() -> Any:
    try:
        from sam2.build_sam import build_sam2_video_predictor
    except (ImportError, OSError) as error:  # OSError: a shared library of torch is missing
        raise ModelFailed(
            f"the tracker sam2 needs torch and the package sam2: {error}; pip install torch, and then "
            "SAM2_BUILD_CUDA=0 pip install --no-build-isolation sam2==1.1.0"
        ) from error
    return build_sam2_video_predictor


def _downloaded(name: str) -> Path:
    if name not in HUB_FILES:
        raise ModelFailed(f"tracker.path = {name!r} is no file and no SAM 2.1 of the hub; "
                          f"expected a file, or one of {', '.join(HUB_FILES)}")  # fmt: skip
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(name, HUB_FILES[name]))
    except Exception as error:  # of the network, of the disk, of the hub: each with exceptions of its own
        raise ModelFailed(
            f"{HUB_FILES[name]} of {name} cannot be downloaded: {str(error)[:300]}; "
            "download it elsewhere and give its path"
        ) from error


def _size(weights: dict[str, Any], path: Path) -> str:
    """Which of the published sizes the tensors are of."""
    width = next(iter(weights[PATCHES].shape), 0) if PATCHES in weights else 0
    n_blocks = len({name.removeprefix(BLOCK).split(".")[0] for name in weights if name.startswith(BLOCK)})
    if (width, n_blocks) not in SIZES:
        raise ModelFailed(
            f"tracker checkpoint {str(path)!r} is no SAM 2.1: its image encoder has {n_blocks} blocks of width "
            f"{width}; expected one of {', '.join(HUB_FILES.values())}. Checkpoints of transformers "
            "(model.safetensors with config.json) are read by the tracker 'transformers', from their folder"
        )
    return SIZES[width, n_blocks]
