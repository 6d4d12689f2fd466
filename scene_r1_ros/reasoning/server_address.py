# SPDX-License-Identifier: Apache-2.0
"""Which model on which server, and the key to it."""

import os
import re
from urllib.parse import urlsplit

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.reasoning.protocol import ModelSpec
from scene_r1_ros.reasoning.qwen import ARCHITECTURES

ADDRESS = "http://HOST:8000/v1#MODEL"
KEYS = ("SCENE_R1_API_KEY", "OPENAI_API_KEY")  # environment variables; the first that is set counts
OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


def key() -> str:
    """The key of the environment; none: empty. One that a header cannot carry would stand in the library's error."""
    name = next((name for name in KEYS if os.environ.get(name, "").strip()), KEYS[0])
    value = os.environ.get(name, "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", value):
        raise BadInput(f"the key in {name} holds spaces, controls or letters that are not ASCII; set it again")
    return value


def without_key(text: str) -> str:
    """``text`` with the key of the environment struck out: what a server says may hold it."""
    return text.replace(secret, "***") if (secret := key()) else text


def checked_address(path: str) -> tuple[str, str]:
    """The base URL, without a slash at its end, and the name of the model."""
    base, _, model = path.partition("#")
    if "@" in base or "?" in base:  # not shown: it may be a secret
        raise BadInput(f"model.path holds a password or a query; expected {ADDRESS}, and the key in {KEYS[0]}")
    try:
        url = urlsplit(base)
        port_is_sound = url.port is None or url.port > 0
    except ValueError:
        raise BadInput(f"model.path = {shown(path)} holds no URL that can be read; expected {ADDRESS}") from None
    if url.scheme not in ("http", "https") or not url.hostname or not port_is_sound:
        raise BadInput(f"model.path = {shown(path)}; expected a base URL and a model, as {ADDRESS}")
    if not model:
        raise BadInput(f"model.path = {shown(path)} names no model; add it as the server lists it: {ADDRESS}")
    return base.rstrip("/"), model


def check_architecture(model: str, spec: ModelSpec) -> None:
    """A name that tells another architecture than the spec's; its boxes would be read in the wrong way."""
    name = re.sub(r"[^a-z0-9]", "", model.lower())
    named = [known for known in ARCHITECTURES if known.replace("_", "") in name]
    if named and spec.architecture not in named:
        raise BadInput(
            f"the model {shown(model)} is a {named[0]} by its name, but the spec {spec.name!r} is for "
            f"{spec.architecture}, which writes boxes in another way; set model.spec: {named[0]}"
        )


def is_open(url: str) -> bool:
    """Whether others on the way to the server can read along."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in OWN_MACHINE
