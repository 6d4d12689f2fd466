# SPDX-License-Identifier: Apache-2.0
"""The configured model, loaded on a thread of its own: it may take minutes, and the node must live meanwhile."""

from concurrent.futures import Future, TimeoutError
from threading import Thread

from rclpy.impl.rcutils_logger import RcutilsLogger

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import SceneR1Error
from scene_r1_ros.reasoning.models import load_model
from scene_r1_ros.reasoning.protocol import Model
from scene_r1_ros.run import Run

POLL_S = 0.05


class Mind:
    """``get`` gives the model to a query, as soon as it is there."""

    def __init__(self, config: ModelConfig, log: RcutilsLogger):
        self._config, self._log = config, log
        self._loaded: Future[Model] = Future()
        Thread(target=self._load, name="load_model", daemon=True).start()

    def get(self, run: Run) -> Model:
        """Wait for the model; the query's cancel and deadline are heard meanwhile.

        Raises:
            SceneR1Error: canceled, late, or the model could not be loaded.
        """
        while True:
            run.check()
            try:
                return self._loaded.result(timeout=POLL_S)
            except TimeoutError:
                continue

    @property
    def loaded(self) -> Model | None:
        """The model, once it is there."""
        done = self._loaded.done() and self._loaded.exception() is None
        return self._loaded.result() if done else None

    def _load(self) -> None:
        try:
            model = load_model(self._config)
        except Exception as error:
            if self._config.kind == "box":
                self._log.info("no model is configured: only goals with a box are answered")
            else:
                kind = "" if isinstance(error, SceneR1Error) else f"{type(error).__name__}: "
                self._log.error(f"the model could not be loaded: {kind}{error}")
            self._loaded.set_exception(error)
        else:
            self._log.info(f"the model is ready: {model.spec.name}")
            self._loaded.set_result(model)
