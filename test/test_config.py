# SPDX-License-Identifier: Apache-2.0
"""One place for every setting: overrides are checked, unknown names are errors, a dump loads again."""

from dataclasses import fields, is_dataclass

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.config import Config, LiftConfig, ModelConfig, dump, load, override, shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.resources import share


def written(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_dump_loads_again(tmp_path):
    assert load(written(tmp_path, dump(Config()))) == Config()


@given(text=st.text(), number=st.floats(0.001, 0.5), count=st.integers(1, 1_000_000))
def test_any_value_loads_again_below_its_help(text, number, count):
    chosen = Config(model=ModelConfig(path=text), lift=LiftConfig(voxel_m=number, min_points=count))
    assert override(Config(), yaml.safe_load(dump(chosen)), "dump") == chosen


def test_every_setting_is_explained():
    lines = dump(Config()).splitlines()
    settings = [i for i, line in enumerate(lines) if not line.lstrip().startswith("#") and not line.endswith(":")]
    assert len(settings) > 20 and all(lines[i - 1].lstrip().startswith("#") for i in settings)
    assert max(map(len, lines)) <= 120
    assert "  # which mind answers (box, recorded, transformers, openai)" in lines


def test_only_what_is_named_changes(tmp_path):
    config = load(written(tmp_path, "lift: {voxel_m: 0.02}\ntimeout_s: 5"))
    assert (config.lift.voxel_m, config.timeout_s) == (0.02, 5.0)
    assert config.buffer == Config().buffer


def test_an_empty_file_is_the_defaults(tmp_path):
    assert load(written(tmp_path, "")) == Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lift: {voxel: 0.02}", "unknown setting 'voxel'; known here: voxel_m"),
        ("lift: {voxel_m: big}", "expected float"),
        ("lift: {voxel_m: 99}", "expected 0.001 to 0.5"),
        ("lift: {voxel_m: .nan}", "expected 0.001 to 0.5"),
        ("lift: 3", "expected 'name: value' pairs"),
        ("tracker: {kind: magic}", "expected one of geometric"),
        ("lift: {min_points: true}", "expected int"),
        ("[1, 2]", "expected 'name: value' pairs"),
        ("a: [", "configuration .* cannot be read: line 1, column 5: expected the node content, but found"),
        ("model: {kind: box\n  path: x}", "line 2, column 7: expected ',' or '}', but got ':'"),
        ("a: \x07", "cannot be read: unacceptable character #x0007"),
        ("timeout_s: 2024-13-45", "cannot be read: line 1, column 12: '2024-13-45' is no timestamp"),
        ("timeout_s: " + "9" * 5000, "an int of more than 1000 characters"),
        ("timeout_s: 1" + ":59" * 20_000, "an int of more than 1000 characters"),  # base 60 takes seconds
        ("timeout_s: 0x" + "f" * 990, "timeout_s = inf; expected 0.1"),  # more than a float holds
        ("lift: {min_points: 0x" + "f" * 990, "cannot be read"),
        ("lift: {min_points: 0x" + "f" * 990 + "}", r"min_points = \d+\.\.\.\d+; expected 1 to 1000000"),
        (
            "timeout_s: !!int ''",
            "line 1, column 12: '' is no int; expected a YAML file like the one that",
        ),
        ("timeout_s: !!bool maybe", "line 1, column 12: 'maybe' is no bool"),
        ("timeout_s: !!timestamp soon", "line 1, column 12: 'soon' is no timestamp"),
        ("[" * 3000, "nested deeper than 20 levels"),
        ("- " * 3000, "nested deeper than 20 levels"),
        ("lift: &a {voxel_m: 0.01}\nverify: *a", "an alias .* of a list or a mapping is not read"),
        ("lift: &a {<<: *a}", "an alias .* of a list or a mapping is not read"),
        ("#" + " " * 2**16, "is larger than 65536 bytes"),
        ("? " + "x" * 60_000, "unknown setting 'x{1,40}...x{1,40}'; known here"),
        (f"timeout_s: {'x' * 60_000}", "timeout_s = 'x{1,40}...x{1,40}'; expected float"),
        ("0", "expected 'name: value' pairs, got 0"),  # not an empty file
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, says):
    with pytest.raises(BadInput, match=says):
        load(written(tmp_path, text))


def test_an_alias_of_a_single_value_is_welcome(tmp_path):
    config = load(written(tmp_path, "lift: {voxel_m: &v 0.02, min_depth_m: *v}"))
    assert (config.lift.voxel_m, config.lift.min_depth_m) == (0.02, 0.02)


def test_an_alias_bomb_is_refused_in_few_words(tmp_path):
    """Nine lines that stand for a billion values, as a list and as merged mappings."""
    for wrapped in ("[{}]", "{{<<: [{}]}}"):
        lines = ["a0: &a0 {x: 1}"] + [f"a{i}: &a{i} " + wrapped.format(f"*a{i - 1}, " * 10) for i in range(1, 10)]
        with pytest.raises(BadInput, match="alias") as refused:
            load(written(tmp_path, "\n".join(lines)))
        assert len(str(refused.value)) < 600


def test_any_value_is_shown_in_few_characters():
    bomb = "lol"
    for _ in range(40):
        bomb = [bomb] * 10
    for value in (bomb, dict.fromkeys(range(10), bomb), "x" * 10**6, 16**5000, [16**5000], {"x" * 10**6}, b"x" * 10**6):
        assert 0 < len(shown(value)) <= 200
    assert (shown("mug"), shown([1, None]), shown("\ud83d")) == ("'mug'", "[1, None]", "'\\ud83d'")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"absent\.yaml cannot be read: No such file or directory; expected a YAML file"):
        load(tmp_path / "absent.yaml")


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_bytes(b"a: \xff")
    with pytest.raises(BadInput, match=r"bad\.yaml cannot be read: byte 3 is no text in UTF-8"):
        load(tmp_path / "bad.yaml")


def test_every_setting_explains_itself_and_its_default_is_allowed():
    def walk(settings, values):
        for f in fields(settings):
            value = getattr(settings, f.name)
            if is_dataclass(value):
                walk(value, values[f.name])
            else:
                assert f.metadata["help"], f.name
        assert override(settings, values, "defaults") == settings

    walk(Config(), yaml.safe_load(dump(Config())))


def test_the_shipped_file_names_settings_that_exist():
    load(share("config/scene_r1.yaml"))
