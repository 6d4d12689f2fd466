# SPDX-License-Identifier: Apache-2.0
"""Which frames of a long clip together see most of the place: by the coarse voxels that depth and poses put there.

Keyframes come thick where a camera stands or turns, and thin where it hurries through a room. Frames at even steps of
time miss what is seen only there; frames that each see something new do not.
"""

from collections.abc import Collection, Sequence
from functools import cached_property, lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.reasoning.spread import between, spread
from scene_r1_ros.types import Frame

SAMPLES_WH = 32, 24  # pixels of a depth image that are looked at
MAX_DEPTH_M = 4.0  # small things farther away are not seen well enough to be found
VOXEL_M = 0.25
NOVEL_SHARE = 0.6  # of a frame's voxels, not seen before: then it shows something new
FEW_VOXELS = 60  # a frame of fewer is judged as if it had so many: no close-up of a wall counts as new
MIN_SPLIT = 8  # frames; fewer are all spread over time
HALF_GRID = 2**20  # voxels from the world's origin that a key of 63 bits has room for, along each axis


def coarse_points(frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Points (N, 3) in the world, metres, of those of 32 x 24 pixels that have depth, and their numbers (N,)."""
    rows, columns, rays_camera = sample_rays(frame.depth_camera)
    depth_m = frame.depth_m[np.ix_(rows, columns)].ravel()
    valid = np.flatnonzero((depth_m > 0) & (depth_m < MAX_DEPTH_M))
    points_camera = rays_camera[valid] * depth_m[valid, None]
    return points_camera @ frame.T_world_camera[:3, :3].T + frame.T_world_camera[:3, 3], valid


@lru_cache(maxsize=8)
def sample_rays(camera: PinholeCamera) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Rows (24,) and columns (32,) of pixels all over an image, and where their rays (768, 3) are at a depth of 1."""
    columns, rows = (
        ((np.arange(n) + 0.5) * size_px / n).astype(np.intp)
        for n, size_px in zip(SAMPLES_WH, (camera.width, camera.height), strict=True)
    )
    v, u = np.meshgrid(rows, columns, indexing="ij")
    return rows, columns, camera.unproject(np.stack([u.ravel(), v.ravel()], axis=1), np.ones(u.size))


def voxel_keys(points_world: NDArray[np.float64], voxel_m: float) -> NDArray[np.int64]:
    """(N,) one number per voxel, for points (N, 3) in metres."""
    x, y, z = (np.floor(points_world / voxel_m).astype(np.int64) + HALF_GRID).T
    return (x << 42) | (y << 21) | z


def seen_voxels(frame: Frame) -> NDArray[np.int64]:
    """Keys of the voxels that a frame sees, each once. Kept as long as the frame: the next query needs them again."""
    if frame not in _seen_voxels:
        _seen_voxels[frame] = np.unique(voxel_keys(coarse_points(frame)[0], VOXEL_M))
    return _seen_voxels[frame]


_seen_voxels: WeakKeyDictionary[Frame, NDArray[np.int64]] = WeakKeyDictionary()


class Coverage:
    """What each of some frames, in order of time, sees of the place. Computed when first needed: 0.2 ms a frame."""

    def __init__(self, frames: Sequence[Frame]):
        self.frames = frames

    def overview(self, count: int) -> list[int]:
        """At most ``count`` of the frames, both ends among them: half ``spread`` over time, half over those that show
        something new.

        Whether a frame does is decided by those before it alone, so that appended ones change little but the end.
        """
        n = len(self.frames)
        if n <= count or count < MIN_SPLIT:
            return spread(n, count)
        novel = [self._novel[i] for i in spread(len(self._novel), count // 2)]
        step = max(count // 8, 1)  # so that one novel frame more seldom changes the stride of the others
        room = min(count // 2, -(-len(novel) // step) * step)
        return sorted({*novel, *spread(n, count - room)})

    def further(self, shown: Collection[int], count: int) -> list[int]:
        """At most ``count`` frames beside those that were ``shown``: half of them those that together see most of what
        they leave out, one after the other (the greedy algorithm for maximum coverage), and half ``between`` them all.
        """
        chosen = self._uncovering(shown, count // 2)
        return sorted([*chosen, *between({*shown, *chosen}, len(self.frames), count - len(chosen))])

    @cached_property
    def _voxels(self) -> list[NDArray[np.intp]]:
        """Numbers of the voxels that each frame sees, counted from 0."""
        keys = [seen_voxels(frame) for frame in self.frames]
        _, numbers = np.unique(np.concatenate(keys), return_inverse=True)
        return np.split(numbers.ravel(), np.cumsum([len(k) for k in keys])[:-1])

    @cached_property
    def _novel(self) -> list[int]:
        seen, novel = np.zeros(sum(map(len, self._voxels)), bool), []
        for i, voxels in enumerate(self._voxels):
            if len(voxels) - seen[voxels].sum() >= NOVEL_SHARE * max(len(voxels), FEW_VOXELS):
                novel.append(i)
                seen[voxels] = True
        return novel

    def _uncovering(self, shown: Collection[int], count: int) -> list[int]:
        frame = np.repeat(np.arange(len(self.frames)), [len(voxels) for voxels in self._voxels])
        voxel = np.concatenate(self._voxels)
        seen, chosen = np.zeros(len(voxel), bool), list[int]()
        seen[voxel[np.isin(frame, list(shown))]] = True
        while len(chosen) < count and not seen[voxel].all():
            frame, voxel = frame[~seen[voxel]], voxel[~seen[voxel]]
            chosen.append(int(np.bincount(frame).argmax()))
            seen[voxel[frame == chosen[-1]]] = True
        return chosen
