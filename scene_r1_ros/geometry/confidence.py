# SPDX-License-Identifier: Apache-2.0
"""One number for how sure an object is, from what speaks for it."""

import numpy as np

from scene_r1_ros.answer import Evidence

# Logistic map to the chance that the object's box is right (3D box IoU of 0.5 or more with its visible surface).
# ``python -m scene_r1_ros.evaluation.calibrate`` fits these numbers to rendered rooms and prints them.
BIAS = -8.83
WEIGHTS = {"reprojection": 2.50, "masks": 0.00, "agreement": 2.13, "edges": 6.17, "views": 0.67}


def features(evidence: Evidence) -> dict[str, float]:
    """Each 0 to 1, and each can only raise the score."""
    looked = evidence.visible + evidence.absent
    return {
        "reprojection": evidence.reprojection_iou,
        "masks": evidence.mask_iou,
        "agreement": evidence.visible / looked if looked else 0.0,
        "edges": evidence.edge_share,
        "views": evidence.visible / (evidence.visible + 2.0),
    }


def confidence(evidence: Evidence) -> float:
    """The chance, 0 to 1, that the object's box is right."""
    logit = BIAS + sum(WEIGHTS[name] * value for name, value in features(evidence).items())
    return float(1 / (1 + np.exp(-logit)))
