# SPDX-License-Identifier: Apache-2.0
"""The tracker that a configuration or the command line names."""

import sys

import pytest

from scene_r1_ros.cli import configuration
from scene_r1_ros.config import Config, TrackerConfig
from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.tracking.geometric import GeometricTracker


def test_geometric_needs_nothing():
    assert isinstance(load_tracker(Config()), GeometricTracker)


@pytest.mark.parametrize(
    ("option", "kind", "path"),
    [
        ("geometric", "geometric", ""),
        ("sam2:sam2.1_hiera_small.pt", "sam2", "sam2.1_hiera_small.pt"),
        ("transformers:yonigozlan/EdgeTAM-hf", "transformers", "yonigozlan/EdgeTAM-hf"),
    ],
)
def test_the_option_of_the_command_line(option, kind, path):
    chosen = configuration(None, "", option).tracker
    assert (chosen.kind, chosen.path) == (kind, path)


def test_an_unknown_kind():
    with pytest.raises(BadInput, match=r"--tracker: kind = 'sam3'; expected one of geometric, sam2, transformers"):
        configuration(None, "", "sam3:x.pt")


@pytest.mark.parametrize("kind", ["sam2", "transformers"])
def test_a_learned_tracker_needs_a_checkpoint(kind):
    with pytest.raises(BadInput, match=f"tracker.path is empty; .* --tracker {kind}:facebook/sam2.1-hiera-small"):
        load_tracker(Config(tracker=TrackerConfig(kind=kind)))


@pytest.mark.parametrize("kind", ["sam2", "transformers"])
def test_a_path_that_is_not_there(kind):
    pytest.importorskip("torch")
    pytest.importorskip(kind)  # the packages are called as the trackers
    with pytest.raises(ModelFailed, match="'not/a/file' is no"):
        load_tracker(Config(tracker=TrackerConfig(kind=kind, path="not/a/file")))


@pytest.mark.parametrize(("kind", "library"), [("sam2", "sam2.build_sam"), ("transformers", "transformers")])
def test_a_library_that_is_not_there(kind, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModelFailed, match=f"the tracker {kind} needs torch and .*pip install"):
        load_tracker(Config(tracker=TrackerConfig(kind=kind, path="any.pt")))
