# SPDX-License-Identifier: Apache-2.0
"""An image that is traced in part and filled up where its neighbours agree."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
MIX = np.array([[0.45, 0.33, 0.22]], np.float32)  # one number of red, green and blue that few pairs of colours share
FLAT_RANGE, EDGE_RANGE = 0.05, 0.1  # neighbours that differ less are alike; those that differ more are an edge
UNKNOWN = np.float32(-1)


class Samples(NamedTuple):
    """What rays see."""

    tones: F32  # (N, 3) sRGB, 0 to 1, without noise
    part: NDArray[np.intp]  # (N,)
    face: F32  # (N,) a number for each flat side, and for each part's round ones together; whole
    lit: F32  # (N,) 1 where the way to the lamp is free, 0 where it is not, UNKNOWN where nobody asked


SIDES = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8)  # a pixel's four neighbours
CORNERS = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1]], np.uint8)


class Picture(NamedTuple):
    """An image in the making. Numbers of parts and faces are floats, which hold them exactly, for OpenCV's sake."""

    tones: F32  # (H, W, 3)
    part: F32  # (H, W)
    face: F32  # (H, W)
    lit: F32  # (H, W)

    def keep(self, at: NDArray[np.intp], seen: Samples) -> None:
        self.tones.reshape(-1, 3)[at] = seen.tones
        self.part.reshape(-1)[at] = seen.part
        self.face.reshape(-1)[at] = seen.face
        self.lit.reshape(-1)[at] = seen.lit

    def fill(self, between: NDArray[np.bool_], around: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Give pixels ``between`` the mean of the four ``around`` them, where these see one face in one light.

        Returns those where they do not.
        """
        mixed = cv2.transform(self.tones, MIX)
        alike = cv2.dilate(mixed, around) - cv2.erode(mixed, around) < FLAT_RANGE
        nearest = cv2.dilate(self.face, around)
        sure = between & alike & (nearest == cv2.erode(self.face, around))
        cv2.copyTo(cv2.filter2D(self.tones, -1, around / np.float32(4)), sure.view(np.uint8), self.tones)
        cv2.copyTo(nearest, sure.view(np.uint8), self.face)
        cv2.copyTo(cv2.dilate(self.part, around), sure.view(np.uint8), self.part)
        return np.flatnonzero(between & ~sure)

    def edges(self) -> NDArray[np.intp]:
        """Pixels beside one of another tone: other things, faces, patterns and shadows."""
        mixed = cv2.transform(self.tones, MIX)
        return np.flatnonzero(cv2.dilate(mixed, SIDES) - cv2.erode(mixed, SIDES) > EDGE_RANGE)

    def around(self, edges: NDArray[np.intp]) -> tuple[F32, F32]:
        """The part of each pixel (N,), and whether it is lit, twice over: what is probably so beside its middle."""
        twice = np.concatenate([edges, edges])
        return self.part.reshape(-1)[twice], self.lit.reshape(-1)[twice]

    def soften(self, edges: NDArray[np.intp], aside: F32) -> None:
        """Mean of what edge pixels (N,) show in their middle and twice beside it (2 * N, 3)."""
        tones = self.tones.reshape(-1, 3)
        tones[edges] = (tones[edges] + aside[: len(edges)] + aside[len(edges) :]) / 3


@lru_cache(maxsize=4)
def grids(height: int, width: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Three masks (H, W) that share out an image: every fourth pixel, and the border; what makes them a chessboard; the
    others."""
    v, u = np.indices((height, width))
    border = (v == 0) | (u == 0) | (v == height - 1) | (u == width - 1)
    fourth = ((u % 2 == 0) & (v % 2 == 0)) | border
    second = ((u + v) % 2 == 0) & ~fourth
    return fourth, second, ~(fourth | second)
