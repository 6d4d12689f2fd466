# SPDX-License-Identifier: Apache-2.0
"""Places in a reasoning text: (x, y) in pixels of the image, whole or with a point. Nothing else is written so."""

import re

COORDINATE = r"\d{1,5}(?:\.\d{1,3})?"
PLACE = re.compile(rf"\((?P<x>{COORDINATE}), (?P<y>{COORDINATE})\)")
