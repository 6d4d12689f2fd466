# SPDX-License-Identifier: Apache-2.0
"""``scene-r1 demo``: a rendered room, replayed over DDS by one process, remembered and searched by another.

The model is ``recorded``: it plays back what a good model would say about this room (a time window, a 2D box, the
reasoning). Everything after that is computed: tracking, lifting, verification, and the figures against the truth.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.geometry.pose import from_quaternion
from scene_r1_ros.report.save import writable
from scene_r1_ros.report.terminal import Narrator, print_checks, print_rationale
from scene_r1_ros.rooms import write_room
from scene_r1_ros.ros import transport
from scene_r1_ros.ros.client import Outcome, SceneR1Client
from scene_r1_ros.ros.messages import seconds_of
from scene_r1_ros.run import Progress
from scene_r1_ros.text import clean_text

N_FRAMES, RATE_HZ = 90, 30.0


def run_demo(out: Path, seed: int, console: Console) -> int:
    """Run the demo; its files go to ``out``. Returns the exit code: 0 where every query was answered."""
    out = out.resolve()
    writable(out)
    set_transport()
    console.rule("1. A furnished room, rendered")
    room = render_room(out / "room", seed, console)
    console.rule("2. The server in one process, the camera in another")
    server = node(
        "server", **{"model.kind": "recorded", "model.path": str(room / "recorded.yaml")}, report_dir=str(out)
    )
    for older in out.glob("[0-9]*-*"):  # the server would count on
        shutil.rmtree(older)
    with process(server, out / "server.log") as serving:
        replay_room(room, out / "replay.log", serving, console)
        console.rule("3. Three queries and a question")
        rows = ask_all(room, console)
    console.rule("4. Against the room's truth")
    console.print(as_table(rows))
    (out / "summary.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    console.print(
        Text(f"Look at {out}/*/overlay.png, scene.png, answer.json and object_0.ply", style="dim"), soft_wrap=True
    )
    return 0 if all(row["ok"] for row in rows) else 1


def set_transport() -> None:
    """A graph of our own on this machine, through a shared memory with room for images."""
    os.environ |= transport.local(domain=1 + os.getpid() % 100)
    os.environ.pop(transport.BUILTIN, None)


def render_room(folder: Path, seed: int, console: Console) -> Path:
    shutil.rmtree(folder, ignore_errors=True)  # an older room
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task(f"Rendering {N_FRAMES} frames of room {seed}", total=N_FRAMES)
        write_room(folder, seed, n_frames=N_FRAMES, rate_hz=RATE_HZ, on_frame=lambda: bar.advance(task))
    console.print(f"{N_FRAMES} frames of 640x480 RGB-D with pose and sensor noise")
    return folder


def node(name: str, **parameters: str) -> list[str]:
    """The command line of a node; parameters are quoted, since ROS reads them as YAML."""
    given = [word for key, value in parameters.items() for word in ("-p", f"{key}:={json.dumps(value)}")]
    return [sys.executable, "-m", f"scene_r1_ros.ros.{name}", "--ros-args", *given]


@contextmanager
def process(command: list[str], log: Path) -> Iterator[subprocess.Popen]:
    """A node in a process of its own, interrupted at the end as Ctrl-C would."""
    with log.open("w", encoding="utf-8") as file:
        running = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)  # noqa: S603  our own argument list
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(timeout=10)
        except subprocess.TimeoutExpired:
            running.kill()


def replay_room(room: Path, log: Path, serving: subprocess.Popen, console: Console) -> None:
    """Play the room once at its own rate, with a progress bar."""
    command = node("replay", sequence=str(room))
    with process(command, log) as playing, Bar(console=console, transient=True) as bar:
        task = bar.add_task(f"Replaying at {RATE_HZ:.0f} Hz over DDS", total=None)
        while playing.poll() is None:
            if serving.poll() is not None:
                raise SystemExit(f"the server stopped: see {log.with_name('server.log')}")
            bar.update(task)
            time.sleep(0.1)
        if playing.returncode != 0:
            raise SystemExit(f"the replay stopped with exit code {playing.returncode}: see {log}")
    console.print(f"replayed {N_FRAMES} frames at {RATE_HZ:.0f} Hz")


def ask_all(room: Path, console: Console) -> list[dict[str, Any]]:
    """Send every query and question of the room to the server, one after the other."""
    told = json.loads((room / "queries.json").read_text(encoding="utf-8"))
    truth = {
        entry["query"]: entry for entry in json.loads((room / "truth.json").read_text(encoding="utf-8"))["objects"]
    }
    rclpy.init()
    try:
        client = SceneR1Client("demo")
        client.wait_until_ready()
        rows = []
        for query in (q["query"] for q in told["queries"]):
            client.ground(query)
            rows.append(ground_row(query, listen(client, query, console), truth[query]))
        for question in told["questions"]:
            client.ask(question["question"])
            rows.append(ask_row(question, listen(client, question["question"], console)))
        client.destroy_node()
        return rows
    except (ConnectionError, TimeoutError) as error:
        raise SystemExit(f"{error} (see server.log)") from error
    finally:
        rclpy.try_shutdown()  # after Ctrl-C it is down already


def listen(client: SceneR1Client, query: str, console: Console) -> Outcome:
    """Show progress until the result is there, then the rationale step by step."""
    console.print(Text(f"\n“{query}”", style="bold"))
    narrate, heard = Narrator(console), None
    while not client.is_task_complete():
        feedback = client.get_feedback()
        if feedback is not None and feedback is not heard:
            heard = feedback
            narrate(
                Progress(feedback.stage, feedback.progress, feedback.partial_rationale, seconds_of(feedback.elapsed))
            )
    outcome = client.get_result()
    print_rationale(outcome.rationale, console)
    print_checks(outcome.checks, console)
    if outcome.error_msg:
        console.print(Text(clean_text(outcome.error_msg), style="yellow"))
    return outcome


def ground_row(query: str, outcome: Outcome, truth: dict[str, Any]) -> dict[str, Any]:
    row = {"query": query, "ok": outcome.found, "answer": "not found", "iou": None, "error_cm": None}
    if outcome.found:
        found, true_box = outcome.objects[0], true_box_of(truth)
        box = box_of(found)
        row["answer"] = f"{found.mask.width} points"
        row["iou"] = box_iou_3d(box, true_box)
        row["error_cm"] = 100 * float(np.linalg.norm(box.center_world - true_box.center_world))
    return row | {"seconds": sum(seconds_of(t.duration) for t in outcome.timings)}


def ask_row(question: dict[str, str], outcome: Outcome) -> dict[str, Any]:
    ok = outcome.succeeded and outcome.answer.strip().lower() == question["answer"]
    seconds = sum(seconds_of(t.duration) for t in outcome.timings)
    return {
        "query": question["question"],
        "ok": ok,
        "answer": outcome.answer,
        "iou": None,
        "error_cm": None,
        "seconds": seconds,
    }


def box_of(found: Any) -> OrientedBox:
    p, q, s = found.pose.position, found.pose.orientation, found.size
    T = from_quaternion([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])
    return OrientedBox(T[:3, 3], np.array([s.x, s.y, s.z]), T[:3, :3])


def true_box_of(truth: dict[str, Any]) -> OrientedBox:
    return OrientedBox(*(np.array(truth[key], float) for key in ("center_world", "size", "rotation")))


def as_table(rows: list[dict[str, Any]]) -> Table:
    table = Table("query", "answer", "3D IoU", "centre error", "seconds")
    for row in rows:
        iou = "" if row["iou"] is None else f"{row['iou']:.2f}"
        error = "" if row["error_cm"] is None else f"{row['error_cm']:.1f} cm"
        table.add_row(Text(row["query"]), row["answer"], iou, error, f"{row['seconds']:.2f}")
    return table
