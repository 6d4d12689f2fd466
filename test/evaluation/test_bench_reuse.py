# SPDX-License-Identifier: Apache-2.0
"""What the benchmark of second queries measures, on two frames."""

import io

import pytest
from rich.console import Console

from scene_r1_ros.evaluation.bench_reuse import N_TOKENS, measured, reuse_lines, reuse_table
from scene_r1_ros.reasoning.qwen import ARCHITECTURES
from test.reasoning.scripted import make_frame

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_figures_are_those_of_the_caches(architecture):
    steps = []
    row = measured(architecture, [make_frame(0.0), make_frame(0.5)], steps.append)
    assert row["same"]
    assert row["input_tokens"] > N_TOKENS
    assert min(row["first_s"], row["second_s"], row["peer_s"], row["vision_mb"], row["prefix_mb"]) > 0
    assert len(steps) == 3


@pytest.mark.parametrize(("second_s", "same", "met"), [(0.1, True, [True, True]), (0.2, False, [False, False])])
def test_a_second_query_must_be_sooner_and_the_same(second_s, same, met):
    row = {"first_s": 1.0, "second_s": second_s, "peer_s": 1.5, "input_tokens": 9, "vision_mb": 1.0, "prefix_mb": 2.0}
    figures = {"qwen2_5_vl": {**row, "same": same}}
    assert [line.met for line in reuse_lines(figures)] == met
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(reuse_table(figures))
    assert f"{second_s:.3f} s" in console.export_text()
