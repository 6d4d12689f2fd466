# SPDX-License-Identifier: Apache-2.0
"""From what is there to what an RGB-D camera delivers: lens and pixel noise; depth noise, steps and holes.

Two kinds of depth: ``measured_depth`` is a structured-light camera, ``stereo_depth`` an active stereo camera.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

EXPOSURE = 1.35
COLOR_SIGMA = 1.6  # of 255
MIN_DEPTH_M, MAX_DEPTH_M = 0.4, 6.0
DISPARITY_STEPS_M = 8 * 0.075 * 575  # a Kinect: 1/8 pixel of disparity, baseline 0.075 m, focal length 575 px
GRAZING_COS = (0.10, 0.22)  # below the first no pixel is measured, above the second all are (84 and 77 degrees)
EDGE_RATIO = 0.03  # neighbours whose depth differs by this share are an edge ...
EDGE_HOLES = 0.75  # ... where so many pixels are lost
# A RealSense D435 at 640 columns: 50 mm baseline, 480 px focal length, disparity good to 0.08 px in steps of 1/32 px.
STEREO_BASELINE_PX_M = 0.05 * 480
DISPARITY_SIGMA_PX, DISPARITY_STEP_PX = 0.08, 1 / 32
MATCH_RADIUS_PX = 2  # windows are matched, not pixels: near surfaces grow by half a window, and noise is smooth in it
STEREO_RANGE_M = (0.3, 6.0)


def camera_image(
    light: NDArray[np.floating], rng: np.random.Generator, exposure: float = EXPOSURE
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of (H, W, 3) linear light, softened by a lens and with the noise of the pixels."""
    exposed = light * exposure
    bright = exposed / (1 + np.maximum(exposed - 0.8, 0))  # what is too bright fades out gently
    soft = cv2.GaussianBlur(bright, (3, 3), 0.55)
    values = 255 * np.clip(soft, 0, 1) ** (1 / 2.2) + rng.normal(0, COLOR_SIGMA, (*light.shape[:2], 1))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def measured_depth(
    z_m: NDArray[np.floating], cos_incidence: NDArray[np.floating], rng: np.random.Generator
) -> NDArray[np.float32]:
    """(H, W) float32 metres as a structured-light camera measures true depth, 0 = no measurement.

    Axial noise after Nguyen, Izadi and Lovell, "Modeling Kinect Sensor Noise for Improved 3D Reconstruction and
    Tracking", 3DIMPVT 2012, for surfaces seen at less than 60 degrees. Depth comes in steps of disparity.
    """
    sigma_m = 0.0012 + 0.0019 * (z_m - 0.4) ** 2
    noisy_m = np.maximum(z_m + sigma_m * rng.standard_normal(z_m.shape), 0.1)
    stepped_m = DISPARITY_STEPS_M / np.maximum(np.rint(DISPARITY_STEPS_M / noisy_m), 1)
    chance = rng.random(z_m.shape)
    none, every = GRAZING_COS
    grazing = chance > np.clip((cos_incidence - none) / (every - none), 0, 1)
    edge = depth_edges(z_m) & (chance < EDGE_HOLES)
    outside = (z_m < MIN_DEPTH_M) | (z_m > MAX_DEPTH_M)
    return np.where(grazing | edge | outside, 0, stepped_m).astype(np.float32)


def depth_edges(z_m: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(H, W) pixels whose 3x3 neighbourhood spans more than ``EDGE_RATIO`` of their depth."""
    kernel = np.ones((3, 3), np.uint8)
    return cv2.dilate(z_m, kernel) - cv2.erode(z_m, kernel) > EDGE_RATIO * z_m


def stereo_depth(
    z_m: NDArray[np.floating], cos_incidence: NDArray[np.floating], rng: np.random.Generator
) -> NDArray[np.float32]:
    """(H, W) float32 metres as an active stereo camera measures true depth, 0 = no measurement.

    Its error is one of disparity, so it grows with the square of the distance; it is smooth over a matching window,
    which also makes near surfaces grow over far ones ("edge fattening"). What the second camera does not see is a hole.

    Source: Scharstein and Szeliski 2002 for windows and occlusion; Keselman et al., "Intel RealSense Stereoscopic
    Depth Cameras", CVPRW 2017, for the size of the error.
    """
    focal_baseline = STEREO_BASELINE_PX_M * z_m.shape[1] / 640
    window = np.ones((2 * MATCH_RADIUS_PX + 1,) * 2, np.uint8)
    disparity_px = (focal_baseline / np.maximum(cv2.erode(z_m, window), 0.1)).astype(np.float32)
    noise = cv2.GaussianBlur(rng.standard_normal(z_m.shape, np.float32), (0, 0), MATCH_RADIUS_PX / 2)
    noisy_px = disparity_px + DISPARITY_SIGMA_PX * noise / noise.std()
    stepped_px = np.maximum(np.rint(noisy_px / DISPARITY_STEP_PX), 1) * DISPARITY_STEP_PX
    none, every = GRAZING_COS
    grazing = rng.random(z_m.shape) > np.clip((cos_incidence - none) / (every - none), 0, 1)
    outside = (z_m < STEREO_RANGE_M[0]) | (z_m > STEREO_RANGE_M[1])
    lost = grazing | outside | hidden_from_second(disparity_px)
    return np.where(lost, 0, focal_baseline / stepped_px).astype(np.float32)


def hidden_from_second(disparity_px: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(H, W) pixels of the left image whose place in the right one is covered by something nearer, from their right."""
    columns_right = np.arange(disparity_px.shape[1]) - disparity_px
    covered_from = np.minimum.accumulate(columns_right[:, ::-1], axis=1)[:, ::-1]
    hidden = np.zeros(disparity_px.shape, bool)
    hidden[:, :-1] = covered_from[:, 1:] <= columns_right[:, :-1]
    return hidden
