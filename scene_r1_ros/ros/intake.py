# SPDX-License-Identifier: Apache-2.0
"""From camera topics to keyframes: colour, depth, calibration and pose become one frame, or a counted refusal."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import RLock
from typing import Any

from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import from_quaternion
from scene_r1_ros.memory.buffer import KeyframeBuffer
from scene_r1_ros.ros import qos
from scene_r1_ros.ros.arrivals import Arrivals
from scene_r1_ros.ros.camera_info import Cameras
from scene_r1_ros.ros.images import decode_color, decode_depth
from scene_r1_ros.ros.intake_config import IntakeConfig
from scene_r1_ros.ros.poses import POSE_TYPES, Pose, PoseHistory, PoseSource, TfPoses
from scene_r1_ros.ros.qos import LOST
from scene_r1_ros.ros.refusals import Refusals
from scene_r1_ros.ros.stamps import JUMP_BACK_NS, stamp_ns
from scene_r1_ros.ros.synchronizer import NearestSynchronizer
from scene_r1_ros.ros.transport import advice
from scene_r1_ros.ros.waiting import Pair, WaitingPairs
from scene_r1_ros.sequences.decoding import check_registered
from scene_r1_ros.sequences.messages import pose_of
from scene_r1_ros.types import Frame

TICK_S = 0.5  # how often the end of a stream is looked for, and tf asked again


class Intake:
    """Subscribes to rgb/image, depth/image, rgb/camera_info and pose, and fills a keyframe buffer.

    Args:
        node: whose topics, parameters (QoS overrides) and log are used.
        buffer: is asked before an image is decoded; gets the frames it wants.
        config: as above.
        group: of every callback here; one at a time is enough, a group of its own by default.

    Raises:
        BadInput: pose_type tf without tf2_ros.
    """

    def __init__(self, node: Node, buffer: KeyframeBuffer, config: IntakeConfig, group: CallbackGroup | None = None):
        self.config, self.buffer = config, buffer
        self.world_frame = config.world_frame
        self.camera_frame = ""  # of the newest image
        self.frames = 0  # how many had all they need, wanted or not
        self.refusals = Refusals(node)
        self._node, self._group = node, group or MutuallyExclusiveCallbackGroup()
        self._lock = RLock()  # held by every callback, and while another thread asks for an explanation
        self._events: Counter[tuple[str, str]] = Counter()
        self.arrivals: list[Arrivals] = []
        self._cameras = Cameras(self._image_topic("rgb/image", config.image_transport))
        self._newest_ns = 0  # stamp of the newest image
        self._posed = False  # whether a pose has told which the world frame is
        self._waiting = WaitingPairs(config.pose_queue)
        self._sync = NearestSynchronizer(["rgb/image", "depth/image"], config.sync_queue, config.slop_s)
        self._sync.registerCallback(self._on_pair)
        # The executor serves subscriptions in this order: images come last, so that they find what belongs to them.
        self._subscribe(CameraInfo, "rgb/camera_info", self._on_camera_info, config.subscription_depth)
        self._poses: PoseSource = self._pose_source()
        self._subscribe_images()
        node.create_timer(TICK_S, self._tick, callback_group=self._group, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def explain(self) -> str:
        """What arrives, what is missing, and what was refused, in plain words. May be called from any thread."""
        with self._lock:
            return "\n".join(self._explanation())

    def _explanation(self) -> list[str]:
        lines = [arrivals.explain() for arrivals in self.arrivals]
        if any(what == LOST for _, what in self._events) and advice():
            lines.append(f"images are lost on the way: {advice()}")
        lines.append(f"synchroniser: {self._sync.explain()}")
        if self._waiting:
            lines.append(f"{len(self._waiting)} images wait: {self._missing(self._waiting.oldest)}")
        lines.append(f"{self.frames} whole frames; memory: {_tally(self.buffer.counts)}")
        return lines + self.refusals.explain()

    # Subscriptions ---------------------------------------------------------------------------------------------------

    def _subscribe_images(self) -> None:
        depth = self.config.subscription_depth
        for index, (name, transport) in enumerate(
            (("rgb/image", self.config.image_transport), ("depth/image", self.config.depth_transport))
        ):
            kind, topic = Image if transport == "raw" else CompressedImage, self._image_topic(name, transport)
            self._subscribe(kind, name, partial(self._on_image, index), depth, topic)

    def _image_topic(self, name: str, transport: str) -> str:
        """The transport follows what ``name`` was remapped to, as image_transport has it."""
        return self._node.resolve_topic_name(name) + ("" if transport == "raw" else f"/{transport}")

    def _pose_source(self) -> PoseSource:
        config = self.config
        if config.pose_type == "tf":
            return TfPoses(self._node, config.world_frame)
        T_base_camera = from_quaternion(config.pose_to_camera[:3], config.pose_to_camera[3:])
        history = PoseHistory(config.pose_max_gap_s, T_base_camera)
        self._subscribe(POSE_TYPES[config.pose_type], "pose", partial(self._on_pose, history), 100)
        return history

    def _subscribe(self, kind: type, name: str, callback: Callable, depth: int, topic: str = "") -> None:
        topic = topic or self._node.resolve_topic_name(name)
        arrivals = Arrivals(self._node, name, topic, self._events)
        self.arrivals.append(arrivals)

        def on_message(msg: Any) -> None:
            with self._guarded():
                arrivals.note()
                callback(msg)

        self._node.create_subscription(
            kind, topic, on_message, qos.sensor(depth), callback_group=self._group,
            event_callbacks=qos.subscription_events(self._node, topic, self._events),
            qos_overriding_options=qos.overridable(),
        )  # fmt: skip

    # Callbacks: nothing that a message says may raise out of them ----------------------------------------------------

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Holds the lock; a fault that nobody expected costs one message, not the node."""
        with self._lock:
            try:
                yield
            except Exception as error:
                self.refusals.add("unexpected", error)

    def _on_image(self, index: int, msg: Any) -> None:
        if stamp_ns(msg) <= 0:
            name = self._sync.names[index]
            self.refusals.add("zero stamp", f"{name} has stamp 0; the driver must stamp its images")
        else:
            self._sync.add(msg, index)

    def _on_camera_info(self, msg: CameraInfo) -> None:
        try:
            self._cameras.update(msg)
            for pair in self._waiting:  # not for a later camera_info to decide: the camera may zoom meanwhile
                pair.camera = pair.camera or self._cameras.now(pair.color.header.frame_id)
        except BadInput as error:
            self.refusals.add("camera_info", error)
        self._take_waiting()

    def _on_pose(self, history: PoseHistory, msg: Any) -> None:
        frame = msg.header.frame_id or self.config.world_frame
        if stamp_ns(msg) <= 0:
            self.refusals.add("invalid pose", "a pose has stamp 0; the localisation must stamp its poses")
        elif self._posed and frame != self.world_frame:
            self.refusals.add(
                "another world",
                f"a pose is in frame {frame!r}, but the memory is in {self.world_frame!r}, that of the first pose; "
                "let one localisation only publish on topic pose, or start this node again for the new frame",
            )
        else:
            self._add_pose(history, frame, msg)
        self._take_waiting()

    def _add_pose(self, history: PoseHistory, frame: str, msg: Any) -> None:
        try:
            T_world_base = pose_of(msg)
        except BadInput as error:
            self.refusals.add("invalid pose", error)
            history.add(stamp_ns(msg), None)
        else:
            self.world_frame, self._posed = frame, True
            history.add(stamp_ns(msg), T_world_base)

    def _tick(self) -> None:
        with self._guarded():
            if self._sync.idle_s > TICK_S:
                self._sync.flush()
            self._take_waiting()

    # From a pair of images to a keyframe ------------------------------------------------------------------------------

    def _on_pair(self, color: Any, depth: Any) -> None:
        pair = Pair(color, depth, self._cameras.now(color.header.frame_id))
        if self._newest_ns - pair.stamp_ns > JUMP_BACK_NS:
            while self._waiting:
                self._give_up(self._waiting.pop(), "time went back (a bag loop?)")
            self._poses.time_went_back(self._newest_ns, pair.stamp_ns)
        self._newest_ns = pair.stamp_ns
        self._waiting.append(pair)
        self._take_waiting()
        while why := self._waiting.overfull():
            self._give_up(self._waiting.pop(), why)

    def _give_up(self, pair: Pair, why: str) -> None:
        stamp_s = pair.stamp_ns * 1e-9
        self.refusals.add("waited in vain", f"the image of {stamp_s:.3f} s is dropped, as {why}: {self._missing(pair)}")

    def _missing(self, pair: Pair) -> str:
        """What a pair in line waits for."""
        if self._cameras.empty:
            return "no camera_info has come; is rgb/camera_info published?"
        return self._poses.explain(pair.stamp_ns)

    def _take_waiting(self) -> None:
        """Take the frames whose pose and camera are known by now, in order; the others stay in line."""
        while self._waiting and not self._cameras.empty:
            pair = self._waiting.oldest
            try:
                T_world_camera = self._poses.at(pair.stamp_ns, pair.color.header.frame_id)
            except Exception as error:  # also tf2's own: a frame that cannot be asked for must not block the line
                self._waiting.pop()
                self.refusals.add("no pose", error)
                continue
            if T_world_camera is None:
                return
            self._waiting.pop()
            self._take(pair, T_world_camera)

    def _take(self, pair: Pair, T_world_camera: Pose) -> None:
        """Decode a frame if the memory wants it; refuse it if it cannot be whole."""
        color, depth, frame = pair.color, pair.depth, pair.color.header.frame_id
        step = "depth not registered"
        try:
            check_registered(frame, depth.header.frame_id)
            step = "no camera_info"
            camera = pair.camera or self._cameras.of(frame)  # of() says what is missing
            if isinstance(camera, BadInput):
                raise camera
            self.frames += 1
            self.camera_frame = frame
            if not self.buffer.wants(pair.stamp_ns, T_world_camera):
                return
            step = "bad image"
            color_rgb, depth_m = decode_color(color), decode_depth(depth)
            frame_id = f"{color.header.stamp.sec}.{color.header.stamp.nanosec:09d}"
            step = "bad frame"
            self.buffer.add(Frame(frame_id, pair.stamp_ns, color_rgb, depth_m, camera, T_world_camera))
        except Exception as error:  # whatever a hostile message stirs up, in whatever library, costs this frame only
            self.refusals.add(step, error)


def _tally(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {n}" for what, n in sorted(counts.items())) or "empty"
