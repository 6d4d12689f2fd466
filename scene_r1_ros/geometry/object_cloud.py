# SPDX-License-Identifier: Apache-2.0
"""The cloud of one object, grown view by view, and the vote of all views on each of its points."""

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput, NotThere
from scene_r1_ros.geometry.depth import AGREE_DRIFT_M, AGREE_SIGMAS, color_pixels, depth_sigma_m
from scene_r1_ros.geometry.mask_view import MaskView
from scene_r1_ros.geometry.voxels import grouped
from scene_r1_ros.run import Run

AXIS_BITS = 14  # of a cell's number along each axis: 16384 cells, 80 m at 5 mm
# Points are fused once so many of them wait, so that memory does not grow with the number of views.
BATCH = 200_000
# More voxels are no object: at 5 mm these are 50 square metres of surface.
MAX_VOXELS = 2_000_000
# A mask whose points the other views contradict by this share shows something else.
WRONG_SHARE = 0.5
JURY = 12
MIN_JUDGES = 3  # of two views that contradict each other, either may be wrong
COMPLETED_WEIGHT = 0.1  # of a completed point beside a measured one
MIN_CONFIDENCE = 1e-3  # a mask without any confidence still says more than no mask


class Votes:
    """What V views say about N points: ``words`` (V, N) float32 is the weight of what a view says, above 0 where it
    says that the point is the object, below 0 where not, 0 where it cannot tell.
    """

    def __init__(self, words: NDArray[np.float32]):
        self.words = words
        self.seen_as_object = np.maximum(words, 0).sum(axis=0)
        self.seen_as_other = -np.minimum(words, 0).sum(axis=0)

    @property
    def object_share(self) -> NDArray[np.float32]:
        """(N,) share of the votes that say that it is the object; 1 where nobody can tell."""
        total = self.seen_as_object + self.seen_as_other
        return np.where(total > 0, self.seen_as_object / np.maximum(total, 1e-9), 1).astype(np.float32)

    def wrong_view(self) -> int | None:
        """The view that the others contradict most, if they do in more than ``WRONG_SHARE`` of what it shows and they
        judge; None where all agree, or where there are too few to tell who is wrong.
        """
        said = self.words > 0
        others_object, others_other = self.seen_as_object - np.maximum(self.words, 0), self.seen_as_other
        judged = said & (others_object + others_other > 0)
        denied = (judged & (others_other > others_object)).sum(axis=1) / np.maximum(judged.sum(axis=1), 1)
        worst = int(np.argmax(denied))
        return worst if len(denied) >= MIN_JUDGES and denied[worst] > WRONG_SHARE else None


class ObjectCloud:
    """Means of points and colours per voxel. Add views, ask for the points and the votes on them, add more views.

    Everything is kept relative to ``origin_world``, so that float32 resolves micrometres anywhere in the world.
    """

    def __init__(self, voxel_m: float, origin_world: NDArray[np.float64]):
        self.voxel_m = voxel_m
        self.origin_world = origin_world
        self.views: list[MaskView] = []
        self._keys = np.empty(0, np.int64)
        self._sums = np.empty((0, 7), np.float32)  # weight, weight * (x, y, z), weight * (r, g, b)
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []

    def add(self, view: MaskView) -> None:
        """Fuse one more view in. Time grows with its pixels only.

        Raises:
            NotThere: more than ``MAX_VOXELS``: whole rooms are no object.
            BadInput: points farther apart than voxels can be numbered.
        """
        self.views.append(view)
        points, colors, weights = measured(view)
        if len(points) == 0:
            return
        points += (view.T_world_camera[:3, 3] - self.origin_world).astype(np.float32)
        rows = np.empty((len(points), 7), np.float32)
        rows[:, 0] = weights
        np.multiply(points, weights[:, None], out=rows[:, 1:4])
        np.multiply(colors, weights[:, None], out=rows[:, 4:])
        self._waiting.append((self._keys_of(points), rows))
        if sum(len(keys) for keys, _ in self._waiting) > BATCH + len(self._keys):
            self._fuse()

    def _keys_of(self, points: NDArray[np.float32]) -> NDArray[np.int64]:
        cells = np.floor(points * np.float32(1 / self.voxel_m))
        if np.abs(cells).max() >= 2 ** (AXIS_BITS - 1):
            raise BadInput(
                f"the points of one object lie {np.abs(points).max():.0f} m apart, too far for voxels of "
                f"{self.voxel_m} m; do the poses jump? Otherwise raise lift.voxel_m"
            )
        x, y, z = cells.T.astype(np.int64) + 2 ** (AXIS_BITS - 1)
        return (x << 2 * AXIS_BITS) | (y << AXIS_BITS) | z

    def _fuse(self) -> None:
        if self._waiting:
            keys, sums = zip((self._keys, self._sums), *self._waiting, strict=True)
            self._waiting = []
            self._keys, self._sums = summed(np.concatenate(keys), np.concatenate(sums))
        if len(self._keys) > MAX_VOXELS:
            raise NotThere(
                f"its masks cover more than {MAX_VOXELS} voxels of {self.voxel_m} m, too much for one object; "
                "use a tighter box, raise lift.voxel_m or lower lift.max_depth_m"
            )

    def means(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Points (N, 3) relative to ``origin_world`` and colours (N, 3), one row per voxel."""
        self._fuse()
        values = self._sums[:, 1:] / self._sums[:, :1]
        return values[:, :3], np.rint(values[:, 3:]).astype(np.uint8)

    def jury(self) -> list[MaskView]:
        """The views that vote: more than so many cost time and add nothing."""
        chosen = np.unique(np.linspace(0, len(self.views) - 1, min(len(self.views), JURY)).round().astype(int))
        return [self.views[i] for i in chosen]

    def vote(self, run: Run) -> Votes:
        """Ask the views, of many ``JURY`` evenly over their order, about every point.

        A view sees a point where its depth agrees with it; then its mask says whether it is the object. A point in
        front of the depth, also of that of the neighbouring pixels, would be seen through, so it is not there. One
        behind is hidden and gets no vote, like one on the border of a mask or where depth is missing.
        """
        points, words = self.means()[0], []
        for view in self.jury():
            run.check()
            words.append(witness(view, points, self.origin_world))
        return Votes(np.stack(words))


def measured(view: MaskView) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """The solid and completed pixels of a view: points (N, 3) turned into the world but still relative to the camera,
    colours (N, 3), and weights (N,), the inverse variance of their depth, less for completed ones.
    """
    shape, camera = view.solid.shape, view.mask.frame.depth_camera
    z_m = np.where(view.solid, view.depth_m, view.filled_m)
    at = np.flatnonzero(z_m)
    v, u = np.divmod(at, shape[1])
    z, is_solid = z_m.ravel()[at], view.solid.ravel()[at]
    image_u, image_v = (first + view.every * np.arange(n) for first, n in ((view.u0, shape[1]), (view.v0, shape[0])))
    x_over_z = ((image_u - camera.cx) / camera.fx).astype(np.float32)
    y_over_z = ((image_v - camera.cy) / camera.fy).astype(np.float32)
    points = np.stack([x_over_z[u] * z, y_over_z[v] * z, z], axis=1) @ view.T_world_camera[:3, :3].T.astype(np.float32)
    rows, columns = color_pixels(view.mask.frame)
    weights = np.float32(1e-6) / np.square(depth_sigma_m(z)) * np.float32(max(view.mask.confidence, MIN_CONFIDENCE))
    weights[~is_solid] *= np.float32(COMPLETED_WEIGHT)
    first, columns = columns[view.u0], columns[image_u]
    color = view.mask.frame.color[rows[image_v], first : columns[-1] + 1]  # reads memory in order: quicker
    return points, color[v, columns[u] - first], weights


def summed(keys: NDArray[np.int64], rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The sum of the rows of each key, keys rising."""
    if len(keys) == 0:
        return keys, rows
    order, starts = grouped(keys)
    group = np.empty(len(keys), np.intp)
    group[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    return keys[order[starts]], np.stack([np.bincount(group, column) for column in rows.T], axis=1).astype(np.float32)


def witness(view: MaskView, points: NDArray[np.float32], origin_world: NDArray) -> NDArray[np.float32]:
    """What one view says about (N, 3) points, see ``Votes``: (N,)."""
    R, frame, camera = view.T_world_camera[:3, :3], view.mask.frame, view.mask.frame.depth_camera
    offset = (origin_world - view.T_world_camera[:3, 3]) @ R
    x, y, z = (points @ R.astype(np.float32) + offset.astype(np.float32)).T
    scale = np.float32(1) / np.maximum(z, np.float32(0.01))
    u = x * scale * np.float32(camera.fx) + np.float32(camera.cx + 0.5)
    v = y * scale * np.float32(camera.fy) + np.float32(camera.cy + 0.5)
    shown = np.flatnonzero((u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height) & (z > 0.01))
    u, v, z = u[shown].astype(np.intp), v[shown].astype(np.intp), z[shown]
    behind_m = frame.depth_m.ravel().take(v * camera.width + u) - z  # how far the surface lies behind the point
    sigma_m = depth_sigma_m(z)
    tolerance_m = AGREE_SIGMAS * sigma_m + np.float32(AGREE_DRIFT_M)
    sight = np.flatnonzero(behind_m > np.maximum(-tolerance_m, -z + np.float32(1e-6)))  # not hidden, and measured
    word = verdicts(view, u[sight], v[sight], (behind_m - tolerance_m)[sight], (z + tolerance_m)[sight])
    words = np.zeros(len(points), np.float32)
    words[shown[sight]] = word / sigma_m[sight] * np.float32(max(view.mask.confidence, MIN_CONFIDENCE))
    return words


def verdicts(view: MaskView, u: NDArray, v: NDArray, beyond_m: NDArray, limit_m: NDArray) -> NDArray[np.float32]:
    """(N,) 1, -1 or 0 for points at pixels (u, v): object, not the object, cannot tell.

    Args:
        beyond_m: above 0 where the depth lies so far behind the point that it is seen through.
        limit_m: depth beyond which neighbouring pixels must lie too, so that thin things are not seen through.
    """
    word = np.full(len(u), -1, np.float32)
    height, width = view.inside.shape
    x, y = u - view.u0, v - view.v0
    near = np.flatnonzero((x >= 0) & (y >= 0) & (x < width) & (y < height))
    at = y[near] * width + x[near]
    through = beyond_m[near] > 0
    seen_through = through & (view.nearest_m.ravel().take(at) > limit_m[near])
    as_object = view.inside.ravel().take(at)
    unsure = through & ~seen_through | view.unsure.ravel().take(at)
    word[near] = np.where(through, np.where(unsure, 0, -1), np.where(as_object, 1, np.where(unsure, 0, -1)))
    return word
