# SPDX-License-Identifier: Apache-2.0
"""A server that reads what it sees while no goal is there."""

import yaml

from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.resources import share
from test.ros.processes import wait_until


def test_the_first_question_finds_the_frames_read(serve, client, tiny_qwen, tmp_path):
    spec = yaml.safe_load(share("config/models/qwen2_5_vl.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "brief.yaml"
    path.write_text(yaml.safe_dump(spec | {"max_new_tokens": 4}), encoding="utf-8")
    server = serve(**{
        "model.kind": "transformers", "model.path": tiny_qwen, "model.spec": path, "model.device": "cpu",
    })  # fmt: skip
    wait_until(lambda: "the model reads ahead" in server.log, "nothing was read ahead", 60.0)
    client.ask("how many chairs are there?")
    outcome = client.get_result()
    answer = {timing.stage: timing for timing in outcome.timings}["answer"]
    assert outcome.error_code == ErrorCode.PARSE_FAILED  # random words are no number
    assert answer.model_calls == 2  # once more, as the first reply could not be read
    assert answer.input_tokens - answer.cached_tokens < answer.input_tokens / 4
