# SPDX-License-Identifier: Apache-2.0
"""The smallest published SAM 2.1 with random weights, in pictures of 64 pixels, loaded as the real ones are."""

import pickle
from pathlib import Path

import pytest

from scene_r1_ros.config import TrackerConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.sam2_tracker import HUB_FILES, PATCHES, SIZES, Sam2Tracker
from scene_r1_ros.tracking.video import Pixels
from test.scenes import clip
from test.tracking import learned
from test.tracking.tiny_trackers import SIDE, sam2_weights

torch = pytest.importorskip("torch")
pytest.importorskip("sam2", reason="needs the package sam2: make test installs it")


@pytest.fixture(scope="module")
def weights():
    return sam2_weights()


@pytest.fixture(scope="module")
def checkpoint(weights, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sam2") / "renamed.pt"
    torch.save({"model": weights}, path)
    return path


def load(path: Path | str) -> Sam2Tracker:
    return Sam2Tracker(TrackerConfig(kind="sam2", path=str(path)), SIDE)


@pytest.fixture(scope="module")
def tracker(checkpoint):
    return load(checkpoint)


def test_follows_a_box_and_a_mask(tracker):
    learned.follows_a_box_and_a_mask(tracker)


def test_objects_do_not_disturb_each_other(tracker):
    learned.objects_do_not_disturb_each_other(tracker)


def test_sees_each_frame_once_in_each_direction(tracker, monkeypatch):
    learned.sees_each_frame_once_in_each_direction(tracker, monkeypatch)


def test_keeps_to_the_nearest_views(tracker, monkeypatch):
    learned.keeps_to_the_nearest_views(tracker, monkeypatch)


def test_memory_is_bounded(tracker, monkeypatch):
    """On 300 frames; as all of them show the same, one is encoded, and with one layer of attention they go faster."""
    attention = tracker._model.memory_attention
    monkeypatch.setitem(attention._modules, "layers", attention.layers[:1])
    features = tracker._model.forward_image(torch.zeros(1, 3, SIDE, SIDE))
    monkeypatch.setattr(tracker._model, "forward_image", lambda _: {name: list(f) for name, f in features.items()})
    learned.memory_is_bounded(tracker, monkeypatch, 300)


def test_cancel_is_heard_between_frames(tracker, monkeypatch):
    learned.cancel_is_heard_between_frames(tracker, monkeypatch)


def test_refuses_bad_prompts(tracker):
    learned.refuses_bad_prompts(tracker)


def test_a_speck_of_a_mask_is_followed(tracker):
    learned.a_speck_of_a_mask_is_followed(tracker)


def test_an_absent_object_has_no_mask(tracker, monkeypatch):
    last = tracker._model.sam_mask_decoder.pred_obj_score_head.layers[-1]
    monkeypatch.setattr(last.bias, "data", torch.full_like(last.bias, -5.0))
    learned.an_absent_object_has_no_mask(tracker)


def test_what_is_forgotten_makes_no_difference(tracker, monkeypatch):
    """The same logits as of the package's own loop over a whole video, which forgets nothing."""
    frames, truths = clip(12)
    monkeypatch.setattr(tracker._model, "num_maskmem", 3)  # so that there is something to forget in a short clip
    monkeypatch.setattr(tracker._model, "max_obj_ptrs_in_encoder", 4)
    spy = learned.Spy(tracker).install(monkeypatch)
    tracker.track(frames, [learned.in_box(truths[5])], Run())
    assert len(spy.session._outputs(0)["non_cond_frame_outputs"]) == 1 + spy.session.reach

    pixels = torch.stack([Pixels(frames, SIDE)[i] for i in range(12)])
    monkeypatch.setattr("sam2.sam2_video_predictor.load_video_frames", lambda **_: (pixels, 120, 160))
    model = tracker._model
    state = model.init_state("in memory")
    model.add_new_points_or_box(state, 5, 0, box=learned.in_box(truths[5]).box.xyxy)
    for reverse in (False, True):
        for _ in model.propagate_in_video(state, reverse=reverse):
            pass
    outputs = state["output_dict_per_obj"][0]
    for index, expected in {**outputs["non_cond_frame_outputs"], **outputs["cond_frame_outputs"]}.items():
        torch.testing.assert_close(spy.logits[0, index], expected["pred_masks"][0, 0])


def test_safetensors_and_bare_tensors(weights, tracker, tmp_path):
    from safetensors.torch import save_file

    frames, truths = clip(2)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, tmp_path / "sam.safetensors")
    (expected,), (masks,) = (
        t.track(frames, [learned.in_box(truths[0])], Run()) for t in (tracker, load(tmp_path / "sam.safetensors"))
    )
    assert learned.same(masks, expected)


def test_by_hub_name(checkpoint, monkeypatch):
    asked = []
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *names: asked.append(names) or str(checkpoint))
    load("facebook/sam2.1-hiera-tiny")
    assert asked == [("facebook/sam2.1-hiera-tiny", "sam2.1_hiera_tiny.pt")]


def test_the_package_has_every_size():
    from hydra import compose

    for (width, n_blocks), name in SIZES.items():
        trunk = compose(f"configs/sam2.1/sam2.1_hiera_{name}.yaml").model.image_encoder.trunk
        assert (trunk.get("embed_dim", 96), sum(trunk.get("stages", (2, 3, 16, 3)))) == (width, n_blocks)
    assert len(HUB_FILES) == len(SIZES)


class Harmful:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_in_a_checkpoint_is_never_run(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "sam2.1_hiera_tiny.pt"
    torch.save({"model": Harmful(trace)}, path)
    with pytest.raises(ModelFailed, match=r"refused: it holds more than tensors.*nothing in it was run") as refused:
        load(path)
    assert "Unsupported global: GLOBAL getattr" in str(refused.value) and "weights_only" not in str(refused.value)
    path.write_bytes(pickle.dumps(Harmful(trace), protocol=2))
    with pytest.raises(ModelFailed, match="refused"):
        load(path)
    assert not trace.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 - our own: the plain unpickler does run it
    assert trace.exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pt", None, "is no file; download one"),  # missing
        ("a.pth", b"", "cannot be read"),  # empty
        ("a.pt", b"PK\x03\x04" + bytes(100), "cannot be read"),  # a zip cut short
        ("a.pt", b"<html>not found</html>", "refused: .* or is no checkpoint"),  # no checkpoint at all
        ("a.safetensors", b"\x00" * 100, "is no safetensors file"),  # another format
        ("a.pt", b"\x80\x02J\x01.", "cannot be read"),  # a pickle cut short: struct.error of torch's reader
        ("a.onnx", b"", "has the suffix '.onnx'; expected .pt, .pth or .safetensors"),  # an unknown one
    ],
)
def test_files_that_are_no_checkpoint(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFailed, match=message):
        load(tmp_path / name)


def test_checkpoints_of_something_else(weights, tmp_path):
    path = tmp_path / "a.pt"
    torch.save([1, 2], path)
    with pytest.raises(ModelFailed, match="holds no tensors by name"):
        load(path)
    torch.save({1: torch.zeros(3)}, path)
    with pytest.raises(ModelFailed, match="holds no tensors by name"):
        load(path)
    torch.save({PATCHES: torch.tensor(1.0)}, path)
    with pytest.raises(ModelFailed, match="0 blocks of width 0"):
        load(path)
    torch.save({"vision_encoder.weight": torch.zeros(3)}, path)
    with pytest.raises(ModelFailed, match=r"0 blocks of width 0; .* read by the tracker 'transformers'"):
        load(path)
    torch.save({"model": {name: tensor for name, tensor in weights.items() if "no_obj_embed" not in name}}, path)
    with pytest.raises(ModelFailed, match=r"(?s)no SAM 2.1 .*no_obj_embed_spatial"):  # as of SAM 2.0
        load(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("facebook/sam2-hiera-tiny", "no SAM 2.1 of the hub; expected a file, or one of facebook/sam2.1-hiera-tiny"),
        ("facebook/sam2.1-hiera-large", "sam2.1_hiera_large.pt of .* cannot be downloaded"),  # the tests are offline
    ],
)
def test_hub_names_that_give_nothing(name, message):
    with pytest.raises(ModelFailed, match=message):
        load(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_a_gpu_that_is_not_there(checkpoint):
    with pytest.raises(ModelFailed, match=r"tracker\.device = 'cuda', but torch sees no GPU"):
        Sam2Tracker(TrackerConfig(kind="sam2", path=str(checkpoint), device="cuda"))
