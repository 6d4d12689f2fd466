# SPDX-License-Identifier: Apache-2.0
"""Errors a user can act on: every message gives the value, the rule it breaks, and the remedy."""

from enum import IntEnum

MAX_KEPT_TEXT = 100_000  # characters of a reply that could not be read


class ErrorCode(IntEnum):
    """Why there is no object or answer. The same numbers stand in ``Ground.action`` and ``Ask.action``."""

    NONE = 0
    BAD_QUERY = 100
    NO_KEYFRAMES = 101
    BAD_BOX = 102
    BAD_INPUT = 103
    NOT_FOUND = 110
    NO_DEPTH = 111
    PARSE_FAILED = 112
    TIMEOUT = 120
    CANCELED = 121
    PREEMPTED = 122
    MODEL_FAILED = 130
    UNKNOWN = 199


class SceneR1Error(Exception):
    """Base of every error this package raises on purpose."""

    code = ErrorCode.UNKNOWN


class BadQuery(SceneR1Error):
    code = ErrorCode.BAD_QUERY


class NoKeyframes(SceneR1Error):
    code = ErrorCode.NO_KEYFRAMES


class BadBox(SceneR1Error):
    code = ErrorCode.BAD_BOX


class BadInput(SceneR1Error):
    """A file, a frame or a setting that cannot be used."""

    code = ErrorCode.BAD_INPUT


class NotThere(SceneR1Error):
    """A place that looked right in the image, but does not hold in 3D."""

    code = ErrorCode.NOT_FOUND


class NoDepth(SceneR1Error):
    code = ErrorCode.NO_DEPTH


class ParseFailed(SceneR1Error):
    """The model's answer could not be read. ``text`` keeps what it said, up to a bound."""

    code = ErrorCode.PARSE_FAILED

    def __init__(self, message: str, text: str):
        super().__init__(message)
        self.text = text[:MAX_KEPT_TEXT]


class DeadlineExceeded(SceneR1Error):
    code = ErrorCode.TIMEOUT


class OutOfTokens(DeadlineExceeded):
    """The model has written as much as one query may cost."""


class Canceled(SceneR1Error):
    code = ErrorCode.CANCELED


class Preempted(Canceled):
    code = ErrorCode.PREEMPTED


class NotWritten(SceneR1Error):
    """What was worked out could not be written, or not all of it."""


class ModelFailed(SceneR1Error):
    """A model could not run. ``text`` keeps what it had said until then."""

    code = ErrorCode.MODEL_FAILED

    def __init__(self, message: str, text: str = ""):
        super().__init__(message)
        self.text = text
