# SPDX-License-Identifier: Apache-2.0
"""What `make` rests on: pinned requirements that agree with each other, and the check of the system."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==", re.MULTILINE)


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_pinned(path: Path):
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    for line in filter(None, lines):
        assert REQUIREMENT.match(line), f"{path.name}: {line!r} is not pinned with =="


def test_the_pinned_core_is_what_pip_asks_for():
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    asked = re.search(r"install_requires=\[(.*?)\],\n    extras", setup, re.DOTALL)
    assert asked is not None
    names = set(re.findall(r"""^\s+["']([\w-]+)""", asked.group(1), re.MULTILINE)) - {"open3d"}
    assert names == set(REQUIREMENT.findall((ROOT / "requirements/core.txt").read_text(encoding="utf-8")))


def test_pre_commit_uses_the_pinned_tools():
    pinned = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8").splitlines()
    pinned += (ROOT / "requirements/core.txt").read_text(encoding="utf-8").splitlines()
    for hook in re.findall(r"additional_dependencies: \[(.*)\]", (ROOT / ".pre-commit-config.yaml").read_text()):
        assert set(hook.split(", ")) <= set(pinned)


@pytest.mark.parametrize("name", [".ci/run", "tools/check_system.sh"])
def test_scripts_can_be_run(name: str):
    assert os.access(ROOT / name, os.X_OK)


def check_system(tmp_path: Path, *tools: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The system check where only ``tools`` exist."""
    for tool in ("bash", "uname", *tools):
        found = subprocess.run(["/bin/sh", "-c", f"command -v {tool}"], capture_output=True, text=True, check=True)
        (tmp_path / tool).symlink_to(found.stdout.strip())
    return subprocess.run(
        [ROOT / "tools/check_system.sh"], capture_output=True, text=True, timeout=60, env={"PATH": str(tmp_path), **env}
    )


def test_the_system_check_names_packages(tmp_path: Path):
    done = check_system(tmp_path, PYTHON=sys.executable)
    assert done.returncode == 1
    assert "cmake is missing (Debian package cmake)" in done.stderr
    assert "sudo apt-get install cmake make gcc g++" in done.stderr


def test_the_system_check_names_a_missing_python(tmp_path: Path):
    done = check_system(tmp_path, "cmake", "make", "gcc", "g++", PYTHON="python3.12")
    assert done.returncode == 1
    assert "sudo apt-get install python3.12" in done.stderr


def test_the_system_check_refuses_a_python_without_wheels(tmp_path: Path):
    fake = tmp_path / "python3.9"
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.18\ncase "$2" in *version_info*) exit 1;; esac\n'
    )
    fake.chmod(0o755)
    done = check_system(tmp_path, "cmake", "make", "gcc", "g++", PYTHON=str(fake))
    assert done.returncode == 1
    assert "is Python 3.9.18; the pinned wheels exist for Python 3.11, 3.12 and 3.13" in done.stderr
    assert "make PYTHON=" in done.stderr
