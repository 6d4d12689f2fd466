# SPDX-License-Identifier: Apache-2.0
"""How large images get from process to process without loss. Must be in the environment before a node is made.

Fast DDS passes images through a shared memory of half a megabyte by default, which holds no whole 640x480 image: at
30 Hz a fifth to a half of them arrive. ``config/fastdds.xml`` makes it large enough, and all arrive. What else was
measured, on Jazzy (Fast DDS 2.14):

- ``LARGE_DATA`` has the same small memory; with ``LARGE_DATA?sockets_size=4MB`` all arrive, but it speaks TCP: a node
  that restarts is found again after 6 s, and sometimes not at all.
- ``max_msg_size`` above 64 KB in that variable loses images of certain contents, every time.
- ``ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST`` makes rmw_fastrtps choose transports of its own and ignore all of this.
"""

import os
from collections.abc import Mapping

from scene_r1_ros.resources import share

# Fast DDS 2 (Jazzy and older) and 3 (Kilted and newer).
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
BUILTIN = "FASTDDS_BUILTIN_TRANSPORTS"


def advice(environment: Mapping[str, str] = os.environ) -> str:
    """What to set when images are lost; empty where nothing is known to be wrong."""
    if not environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp").startswith("rmw_fastrtps"):
        return ""
    if environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE") == "LOCALHOST":
        return "unset ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST: with it the transports you choose are ignored"
    if any(environment.get(name) for name in PROFILES) or "sockets_size" in environment.get(BUILTIN, ""):
        return ""
    return f"set {' and '.join(PROFILES)} to {share('config/fastdds.xml')}, here and for the camera's driver"


def local(domain: int, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """An environment for nodes that speak only to each other, on this machine, without losing an image."""
    profile = str(share("config/fastdds_local.xml"))
    return {
        **{name: value for name, value in environment.items() if name != BUILTIN},
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",  # of the loopback interface; LOCALHOST would override the profile
        **dict.fromkeys(PROFILES, profile),
    }
