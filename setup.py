# SPDX-License-Identifier: Apache-2.0
"""The core by pip, for machines without ROS: the library and the command ``scene-r1``.

A ROS workspace does not read this file: colcon builds the package from package.xml and CMakeLists.txt.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def version() -> str:
    """``__version__`` as written in the package, which is not imported: its requirements may not be installed yet."""
    text = (HERE / "scene_r1_ros" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise RuntimeError(
            'scene_r1_ros/__init__.py has no line __version__ = "X.Y.Z"; setup.py reads the version there'
        )
    return found.group(1)


def shared_files() -> list[tuple[str, list[str]]]:
    """What lies beside the code, under ``<prefix>/share/scene_r1_ros`` as after a colcon build."""
    folders: dict[str, list[str]] = {}
    for path in sorted(p for top in ("config", "launch", "rviz") for p in (HERE / top).rglob("*") if p.is_file()):
        if path.parent.name != "__pycache__":
            relative = path.relative_to(HERE)
            folders.setdefault(f"share/scene_r1_ros/{relative.parent.as_posix()}", []).append(relative.as_posix())
    return list(folders.items())


setup(
    name="scene_r1_ros",
    version=version(),
    description="From a sentence to a 3D mask: finds what you name in a robot's RGB-D video, and says why.",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["scene_r1_ros", "scene_r1_ros.*"]),
    package_data={"scene_r1_ros": ["**/*.txt"]},
    data_files=shared_files(),
    install_requires=[
        "numpy",
        "scipy",
        "opencv-python-headless",
        # open3d-cpu is the same without CUDA; it exists for this platform only.
        # 0.20 wants libusb, which few machines have; 3.13 has no older one.
        'open3d-cpu>=0.19,<0.20; sys_platform == "linux" and platform_machine == "x86_64" and python_version < "3.13"',
        'open3d-cpu; sys_platform == "linux" and platform_machine == "x86_64" and python_version >= "3.13"',
        'open3d; sys_platform != "linux" or platform_machine != "x86_64"',
        "pillow",
        "pyyaml",
        "rich",
        "rosbags",
        "rosbags-image",
        "typer",
    ],
    extras_require={
        "models": ["torch", "transformers>=5.23", "safetensors", "peft"],
        "server": ["httpx2>=2"],
        "sam2": ["torch", "safetensors", "sam2==1.1.0"],
        "edgetam": ["torch", "torchvision", "timm", "transformers>=5", "safetensors"],
        "train": ["torch", "transformers>=5.23", "safetensors", "accelerate", "peft", "trl>=1.16", "datasets"],
        "dev": ["pytest", "pytest-timeout", "hypothesis", "ruff", "mypy", "types-PyYAML", "pre-commit", "catkin-pkg"],
    },
    entry_points={"console_scripts": ["scene-r1 = scene_r1_ros.cli:main"]},
)
