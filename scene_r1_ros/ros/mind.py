# SPDX-License-Identifier: Apache-2.0
"""The configured model, loaded on a thread of its own: it may take minutes, and the node must live meanwhile."""

from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from threading import Thread

from rclpy.impl.rcutils_logger import RcutilsLogger

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ModelFailed, SceneR1Error
from scene_r1_ros.reasoning.models import load_model
from scene_r1_ros.reasoning.protocol import Model
from scene_r1_ros.run import Run

POLL_S = 0.05


class Mind:
    """``get`` gives the model to a query, as soon as it is there."""

    def __init__(self, config: ModelConfig, log: RcutilsLogger):
        self._config, self._log = config, log
        self._loaded: Future[Model | SceneR1Error] = Future()
        Thread(target=self._load, name="load_model", daemon=True).start()

    def get(self, run: Run) -> Model:
        """Wait for the model; the query's cancel and deadline are heard meanwhile.

        Raises:
            BadInput: no model is configured.
            ModelFailed: it could not be loaded.
            Canceled, DeadlineExceeded: the query should stop.
        """
        while True:
            run.check()
            try:
                loaded = self._loaded.result(timeout=POLL_S)
            except TimeoutError:
                continue
            if isinstance(loaded, SceneR1Error):
                raise type(loaded)(str(loaded))  # a new one: the trace of one raised again and again grows
            return loaded

    def when_ready(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once goals can be answered: as soon as the model is there, or at once if none is configured."""
        needs_none = self._config.kind == "box"
        self._loaded.add_done_callback(
            lambda done: tell() if needs_none or not isinstance(done.result(), SceneR1Error) else None
        )

    @property
    def loaded(self) -> Model | None:
        """The model, once it is there."""
        loaded = self._loaded.result() if self._loaded.done() else None
        return None if isinstance(loaded, SceneR1Error) else loaded

    def _load(self) -> None:
        if self._config.kind != "box":
            self._log.info(f"the model is being loaded (model.kind: {self._config.kind}); goals wait for it")
        try:
            model = load_model(self._config)
        except Exception as error:
            self._loaded.set_result(self._failure(error))
        else:
            self._log.info(f"the model is loaded: {model.spec.name}")
            self._loaded.set_result(model)

    def _failure(self, error: Exception) -> SceneR1Error:
        if self._config.kind == "box" and isinstance(error, SceneR1Error):
            self._log.info("no model is configured: only goals with a box are answered")
            return error
        kind = "" if isinstance(error, SceneR1Error) else f"{type(error).__name__}: "
        failure = ModelFailed(f"the model could not be loaded: {kind}{error}")
        self._log.error(
            f"{failure}. Until that is mended and the node started again, every goal without a box is refused with "
            "MODEL_FAILED"
        )
        return failure
