# SPDX-License-Identifier: Apache-2.0
"""Random checkpoints of the real architectures of learned trackers, small enough to build in a test."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

SIDE = 64  # of the square image the tiny models see, pixels


def sam2_weights(object_bias: float = 5.0) -> dict:
    """Tensors of the smallest published SAM 2.1, random but always the same.

    ``object_bias`` is what the model says of the presence of any object: above 0, it is always there.
    """
    from sam2.build_sam import build_sam2_video_predictor

    torch.manual_seed(0)
    weights = build_sam2_video_predictor("configs/sam2.1/sam2.1_hiera_t.yaml", device="cpu").state_dict()
    sure_of_presence(weights, "sam_mask_decoder.pred_obj_score_head.layers.2", object_bias)
    return weights


def sure_of_presence(weights: dict, layer: str, bias: float) -> None:
    weights[f"{layer}.weight"].zero_()
    weights[f"{layer}.bias"].fill_(bias)


def sam2_video(folder: Path, object_bias: float = 5.0) -> Path:
    """A folder as transformers reads it."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(0)
    vision = {
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 16,
            "num_attention_heads": 1,
            "image_size": [SIDE, SIDE],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [16, 32, 64, 128],
            "num_attention_heads_per_stage": [1, 2, 4, 8],
            "window_size_per_stage": [4, 4, 4, 4],
            "global_attention_blocks": [3],
        },
        "backbone_channel_list": [128, 64, 32, 16],
    }
    model = Sam2VideoModel(Sam2VideoConfig(**common(vision), memory_attention_num_layers=1))
    return saved(model, folder, object_bias)


def edgetam_video(folder: Path) -> Path:
    """A folder as transformers reads it. Needs timm and torchvision."""
    from transformers import EdgeTamVideoConfig, EdgeTamVideoModel, EdgeTamVisionConfig, TimmWrapperConfig

    torch.manual_seed(0)
    backbone = TimmWrapperConfig(
        architecture="repvit_m1",
        num_classes=0,
        model_args={"in_chans": 3, "features_only": True, "out_indices": (0, 1, 2, 3)},
    )
    vision = {"backbone_config": backbone, "backbone_channel_list": [384, 192, 96, 48]}
    config = EdgeTamVideoConfig(
        **{**common(vision), "vision_config": EdgeTamVisionConfig(**common(vision)["vision_config"])},
        memory_attention_rope_k_sizes=[4, 4],
        perceiver_resampler_num_latents=16,
        perceiver_resampler_num_latents_2d=16,
        memory_attention_mlp_hidden_size=128,
    )
    return saved(EdgeTamVideoModel(config), folder, 5.0)


def common(vision: dict) -> dict:
    """What both configurations have; hidden sizes below 128 do not fit the 64 channels of their memory."""
    strides = [[SIDE // stride, SIDE // stride] for stride in (4, 8, 16)]
    return {
        "vision_config": {
            **vision,
            "fpn_hidden_size": 128,
            "backbone_feature_sizes": strides,
        },
        "prompt_encoder_config": {"hidden_size": 128, "image_size": SIDE},
        "mask_decoder_config": {"hidden_size": 128, "mlp_dim": 128, "iou_head_hidden_dim": 128},
        "image_size": SIDE,
        "memory_attention_hidden_size": 128,
        "memory_attention_rope_feat_sizes": [SIDE // 16, SIDE // 16],
        "memory_encoder_hidden_size": 128,
        "mask_downsampler_embed_dim": 128,
        "memory_fuser_embed_dim": 128,
        "memory_fuser_intermediate_dim": 128,
    }


def saved(model, folder: Path, object_bias: float) -> Path:
    sure_of_presence(model.state_dict(), "mask_decoder.pred_obj_score_head.proj_out", object_bias)
    model.save_pretrained(folder)
    return folder
