# SPDX-License-Identifier: Apache-2.0
"""An answer and its progress, for a person at a terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scene_r1_ros.answer import DOUBTFUL, Answer, Usage, certainty
from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.run import Progress
from scene_r1_ros.sequences import Report
from scene_r1_ros.text import clean_text, counted

FOUND, FAILED, BAD, NOT_FOUND = 0, 1, 2, 3
BAD_INPUT_CODES = {ErrorCode.BAD_QUERY, ErrorCode.NO_KEYFRAMES, ErrorCode.BAD_BOX, ErrorCode.BAD_INPUT}
STYLES = {"found": "bold green", "answered": "bold green", "not_found": "bold yellow", "error": "bold red"}


def exit_code(answer: Answer) -> int:
    """0 found or answered, 3 not found, 2 bad input, 1 anything else that went wrong."""
    if answer.status == "not_found":
        return NOT_FOUND
    if answer.status == "error":
        return BAD if answer.error_code in BAD_INPUT_CODES else FAILED
    return FOUND


def print_rationale(steps: Sequence[Any], console: Console) -> None:
    """Numbered steps; anything with a ``stage`` and a ``text`` is one, the action's messages too."""
    for number, step in enumerate(steps, start=1):
        console.print(Text.assemble((f"  {number}. {step.stage:<9}", "cyan"), clean_text(step.text)))


def print_checks(checks: Sequence[Any], console: Console) -> None:
    """What contradicts the rationale, each on a line, and what holds; the action's messages will do too."""
    for check in checks:
        if not check.holds:
            console.print(Text(f"  contradiction: {check.name}: {clean_text(check.text)}", style="yellow"))
    if holding := dict.fromkeys(check.name for check in checks if check.holds):
        console.print(Text(f"  checked and holds: {', '.join(holding)}", style="dim"))


def print_answer(answer: Answer, console: Console) -> None:
    """The rationale step by step, its checks, the verdict, and what it took. What a model said is text, not markup."""
    print_rationale(answer.rationale, console)
    print_checks(answer.checks, console)
    console.print(Text.assemble(verdict(answer), " ", clean_text(answer.text or answer.error_msg)))
    spent = "  ".join(f"{stage} {seconds:.2f} s" for stage, seconds in answer.timings_s.items())
    if spent:
        console.print(Text(spent, style="dim"))
    for stage, usage in answer.usage.items():
        console.print(Text(usage_text(stage, usage), style="dim"))


def usage_text(stage: str, usage: Usage) -> str:
    """What a stage asked of the model, in one line; a mind that counts no tokens, as a recording, has none."""
    text = f"{stage}: {counted(usage.calls, 'model call')}, {counted(usage.frames, 'frame')}"
    if usage.input_tokens or usage.output_tokens:
        text += f", {usage.input_tokens} tokens in ({usage.cached_tokens} cached), {usage.output_tokens} out"
    return text + (f", first word after {usage.first_token_s:.2f} s" if usage.first_token_s else "")


def print_files(files: Sequence[Path], console: Console) -> None:
    for file in files:
        console.print(Text(f"  {file}", style="dim"), soft_wrap=True)


def verdict(answer: Answer) -> tuple[str, str]:
    """What came of it, and its style; how sure it is, of the least sure where there are objects."""
    text, style = answer.status.replace("_", " "), STYLES[answer.status]
    if not answer.objects:
        return text, style
    score = min(found.score for found in answer.objects)
    least = "least " if len(answer.objects) > 1 else ""
    return f"{text}, {least}{certainty(score)}.", STYLES["not_found"] if score < DOUBTFUL else style


class Narrator:
    """Prints each stage as it begins, and what the model says as it says it."""

    def __init__(self, console: Console):
        self.console = console
        self._stage = ""
        self._printed = 0  # characters of what the model said in this stage
        self._in_line = False  # the last of them ended no line

    def end(self) -> None:
        """The query is over: what the model said ends with its line."""
        self._end_line()
        self._printed = 0

    def __call__(self, progress: Progress) -> None:
        said = progress.partial_rationale
        if progress.stage != self._stage or len(said) < self._printed:  # another stage, or the same one once more
            self._end_line()
            self._stage, self._printed = progress.stage, 0
            self.console.print(Text.assemble((f"[{progress.elapsed_s:6.2f} s] ", "dim"), (progress.stage, "cyan")))
        if fresh := said[self._printed :]:
            self.console.print(Text(clean_text(fresh), style="dim"), end="", soft_wrap=True)
            self._printed, self._in_line = len(said), not fresh.endswith("\n")

    def _end_line(self) -> None:
        if self._in_line:
            self.console.print()
        self._in_line = False


def print_report(report: Report, console: Console) -> None:
    """What a sequence holds, as a table; its topics, if it is a bag; and what is wrong with it."""
    table = Table(show_header=False, box=None, title=f"{report.path} ({report.kind})", title_justify="left")
    for name, text in report_rows(report):
        table.add_row(Text(name, style="cyan"), Text(text))
    console.print(table)
    if report.topics:
        topics = Table(title="topics", title_justify="left")
        for name in ("topic", "type", "messages", "frame_id"):
            topics.add_column(name, overflow="fold")
        for topic in report.topics:
            topics.add_row(
                Text(clean_text(topic.name)), topic.type, str(topic.count), Text(clean_text(topic.frame_id or ""))
            )
        console.print(topics)
    for problem in report.wrong:
        console.print(Text(f"wrong: {clean_text(problem)}", style="yellow"), soft_wrap=True)
    if not report.wrong:
        console.print(Text("nothing wrong with it", style="green"))


def report_rows(report: Report) -> list[tuple[str, str]]:
    """(name, value with unit) of every figure that is known."""

    def form(template: str, value: object) -> str:
        return template.format(*value) if isinstance(value, tuple) else template.format(value)

    figures = [
        ("frames", "{}", report.frames),
        ("duration", "{:.2f} s", report.duration_s),
        ("rate", "{:.1f} Hz", report.rate_hz),
        ("largest gap", "{:.3f} s", report.largest_gap_s),
        ("colour", "{}x{}", report.color_size_wh),
        ("colour encoding", "{}", report.color_encoding),
        ("depth", "{}x{}", report.depth_size_wh),
        ("depth encoding", "{}", report.depth_encoding),
        ("depth after colour", "{:.4f} s", report.color_depth_offset_s),
        ("pixels with depth", "{:.0%}", report.depth_valid_share),
        ("depth range", "{:.2f} to {:.2f} m", report.depth_range_m),
        ("walked", "{:.2f} m", report.walked_m),
    ]
    return [(name, form(template, value)) for name, template, value in figures if value is not None]
