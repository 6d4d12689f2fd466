# SPDX-License-Identifier: Apache-2.0
"""How users put what they look for: with an article or without, as an order, as a question where it is."""

from random import Random

from scene_r1_ros.rooms.expressions import Expression

# With how often each is said.
ONE = {
    "the {}": 10,
    "{}": 4,
    "find the {}": 2,
    "where is the {}?": 2,
    "show me the {}": 1,
    "look for the {}": 1,
    "please find the {}": 1,
    "locate the {}": 1,
}
SEVERAL = {
    "the {}": 8,
    "all {}": 2,
    "find the {}": 2,
    "where are the {}?": 2,
    "show me all {}": 1,
}
PURPOSE = {
    "{}": 6,
    "find {}": 3,
    "look for {}": 1,
    "show me {}": 1,
}
UNKNOWN = {"the {}": 3, "find the {}": 1, "where is the {}?": 1, "{}": 1}


def phrased(expression: Expression, rng: Random) -> str:
    """The expression as a user may say it."""
    forms = ONE
    if expression.detail == "between":  # "mug between the ..." without an article could be read as several things
        forms = {form: often for form, often in ONE.items() if form != "{}"}
    if expression.kind == "several":
        forms = SEVERAL
    elif expression.kind == "affordance":
        forms = PURPOSE
    elif expression.detail == "unknown word":
        forms = UNKNOWN
    return rng.choices(list(forms), list(forms.values()))[0].format(expression.words)
