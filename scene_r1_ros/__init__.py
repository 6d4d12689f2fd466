# SPDX-License-Identifier: Apache-2.0
"""From a sentence to a 3D mask: Scene-R1 for robots.

The generated interfaces (``scene_r1_ros.action``, ``scene_r1_ros.msg``) are installed under the same name. When this
source tree comes first on ``sys.path`` they lie in another folder, so the package spans both.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
__version__ = "0.1.0"
