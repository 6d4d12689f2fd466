# SPDX-License-Identifier: Apache-2.0
"""SAM 2.1 and EdgeTAM (Zhou et al. 2025, "EdgeTAM: On-Device Track Anything Model") through transformers.

Needs neither torchvision nor a checkpoint's processor for SAM 2.1; EdgeTAM's image encoder is of timm, which does.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from scene_r1_ros.checkpoints import chosen_device, import_transformers, is_hub_name
from scene_r1_ros.config import TrackerConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.tracking.protocol import Prompt
from scene_r1_ros.tracking.video import LearnedTracker, Pixels, Seen, box_corners, drawn_pixels, forgotten
from scene_r1_ros.types import Frame, Mask

# model_type of config.json -> the classes of the model and of the session that holds its state.
CLASSES = {
    "sam2_video": ("Sam2VideoModel", "Sam2VideoInferenceSession"),
    "edgetam_video": ("EdgeTamVideoModel", "EdgeTamVideoInferenceSession"),
}


class TransformersTracker(LearnedTracker):
    """A Sam2Video or EdgeTamVideo checkpoint, from a folder or by hub name, read from safetensors only.

    Raises:
        ModelFailed: it cannot be loaded, with the reason and the remedy.
    """

    def __init__(self, config: TrackerConfig):
        transformers = import_transformers("the tracker transformers needs torch and transformers")
        self.config = config
        self.device = chosen_device(config.device, "tracker.device")
        source = _checked_source(config.path)
        try:
            self._load(source, transformers)
        except ModelFailed:
            raise
        except Exception as error:  # several libraries read the files of a checkpoint, each with exceptions of its own
            raise ModelFailed(
                f"tracker checkpoint {config.path!r} cannot be loaded: {str(error)[:500]}; give a folder or a hub name "
                f"with config.json and safetensors weights of {' or '.join(CLASSES)}"
            ) from error

    def _load(self, source: str, transformers: Any) -> None:
        options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": Path(source).is_dir()}
        described, _ = transformers.PreTrainedConfig.get_config_dict(source, **options)
        kind = described.get("model_type")
        if kind not in CLASSES:
            raise ModelFailed(f"tracker checkpoint {source!r} is a {kind!r}; expected {' or '.join(CLASSES)}, "
                              "e.g. facebook/sam2.1-hiera-small or yonigozlan/EdgeTAM-hf")  # fmt: skip
        if kind == "edgetam_video":
            _check_timm()
        model_class, session_class = (getattr(transformers, name) for name in CLASSES[kind])
        model, loaded = model_class.from_pretrained(source, use_safetensors=True, output_loading_info=True, **options)
        if loaded["missing_keys"]:
            raise ValueError(f"its weights lack {len(loaded['missing_keys'])} tensors of this architecture")
        self._model, self._session_class = model.float().to(self.device).eval(), session_class

    def _session(self, frames: Sequence[Frame]) -> "TransformersSession":
        return TransformersSession(self._model, self._session_class, frames)


class TransformersSession:
    """One session of transformers for each object, as one session cannot let objects begin in different frames.

    They share the frames and the features of the frame under way.
    """

    def __init__(self, model: Any, session_class: Any, frames: Sequence[Frame]):
        self.model = model
        self.session_class = session_class
        self.pixels = Pixels(frames, _side(model.config.image_size))
        self.features: Any = None
        self.objects: dict[int, Any] = {}
        self.sources: dict[int, int] = {}
        self.reach = max(model.config.num_maskmem, model.config.max_object_pointers_in_encoder) - 1

    def prompt(self, number: int, index: int, prompt: Prompt) -> Seen:
        device, dtype = self.model.device, self.model.dtype
        session = self.session_class(inference_device=device, inference_state_device=device, dtype=dtype)
        session.processed_frames = self.pixels
        session.cache = self.features = self.features or session.cache
        self.objects[number], self.sources[number] = session, index
        k, side = session.obj_id_to_idx(number), self.pixels.side
        if isinstance(prompt, Mask):
            session.add_mask_inputs(k, index, drawn_pixels(prompt, side)[None, None])
        else:
            corners = box_corners(prompt, side)[None, None]  # (batch, objects, corners, xy)
            import torch

            labels = torch.tensor([[[2, 3]]], dtype=torch.int32)  # the upper left and lower right corner of a box
            session.add_point_inputs(k, index, {"point_coords": corners, "point_labels": labels})
        session.obj_with_new_inputs = [number]
        return self._step(number, index, reverse=False)

    def follow(self, number: int, index: int, reverse: bool) -> Seen:
        return self._step(number, index, reverse)

    def _step(self, number: int, index: int, reverse: bool) -> Seen:
        session = self.objects[number]
        output = self.model(session, frame_idx=index, reverse=reverse)
        (outputs,) = session.output_dict_per_obj.values()
        for kept in outputs.values():
            kept.get(index, {}).pop("high_res_masks", None)  # 4 MB a frame, which nothing looks at again
        kept = outputs["non_cond_frame_outputs"]
        for old in forgotten(list(kept), index, self.sources[number], self.reach, reverse):
            del kept[old]
        session.frames_tracked_per_obj[0].clear()
        return Seen(output.pred_masks[0, 0], output.object_score_logits.flatten()[0])


def _side(image_size: Any) -> int:
    return int(image_size if isinstance(image_size, int) else image_size[0])


def _check_timm() -> None:
    try:
        import_module("timm")
    except Exception as error:  # a torchvision without its CUDA libraries raises RuntimeError
        raise ModelFailed(
            f"EdgeTAM needs timm, and timm a torchvision that fits torch ({type(error).__name__}: {error}); "
            "pip install timm torchvision, or use a SAM 2.1 checkpoint, which needs neither"
        ) from error


def _checked_source(path_or_name: str) -> str:
    """A folder or a hub name."""
    folder = Path(path_or_name).expanduser()
    if (folder / "config.json").is_file():
        return str(folder)
    if is_hub_name(path_or_name):
        return path_or_name
    raise ModelFailed(
        f"tracker.path = {path_or_name!r} is no folder with a config.json; give that of a checkpoint, with "
        "config.json and model.safetensors, or a hub name such as facebook/sam2.1-hiera-small"
    )
