# SPDX-License-Identifier: Apache-2.0
"""Whether an answer says that the object is not there. Doubt, and "not before 5s", are something else.

Every regular expression has bounded repetitions only, so that no text makes it slow.
"""

import re

WORD = r"[\w-]{1,30}"
THING = r"(?:frames?|images?|pictures?|videos?|clips?|scenes?)"
# "not in frame" and "no mug in the room".
IN_IT = rf"in\s(?:the\s|this\s|these\s|any\s|either\s)?(?:of\s)?(?:the\s)?(?:{THING}|room|view)"
SEEN = (
    r"(?:present|visible|found|find|seen|see|shown|there|here|appear(?:s|ed|ing)?|detect(?:ed)?|exist(?:s|ing)?"
    rf"|locate(?:d)?|spot(?:ted)?|identif(?:y|ied)|depicted|captured|{IN_IT})\b"
)
FILLER = r"(?:be|been|to|seem|appear|able|actually|currently|seem\sto\sbe)"
# "may not be visible", "if not present" and "no doubt it is visible" are doubt or its contrary.
NOT = (
    r"(?:(?<!\bmay )(?<!\bmight )(?<!\bif )(?<!\bor )\bnot|n't|\b(?:is|are|was|does|do|did|can|could)nt\b"
    r"|\bcannot|\bnever|\bunable)"
)
NO = r"\bno\s(?!doubt|question|problem|longer)"
ABSENT = re.compile(
    rf"{NOT}(?:[\s_-]{FILLER}){{0,3}}[\s_-]?{SEEN}"
    rf"|{NO}{WORD}(?:\s{WORD}){{0,3}}?\s(?:is\s|are\s|was\s|were\s|can\sbe\s)?{SEEN}"
    r"|\bno such\b|\bthere(?: is| are|'s) no\b(?! doubt| question| problem| need| way)|(?<!not )\babsent\b|\bnowhere\b"
    rf"|\bnone of the(?:se)? {THING}\b|\bno {THING} (?:shows?|contains?|has|have)\b"
    r"|\bno (?:valid |suitable |relevant )?(?:match|matches|results?|detections?|bounding box(?:es)?)\b"
    rf"|\b(?:is|are|was) missing\b|\b(?:does|do)(?: not|n't) contain\b|\bout of (?:the )?(?:frame|view)\b"
    r"|不存在|未出现|没有出现|不在|看不到|没有看到",
    re.IGNORECASE,
)
ABSENT_WORD = re.compile(r"\W{0,9}(?:none|null|nil|nothing|no|n/?a|absent)\W{0,9}", re.IGNORECASE)
WHOLE = re.compile(r"\W{0,9}(?:the object is )?not present\W{0,9}|\W{0,9}(?:none|null)\W{0,9}", re.IGNORECASE)
# "not visible before 5s", "not present at the start": it is there at another time.
SCOPE = re.compile(
    rf"(?:\s{WORD}){{0,3}}?,?\s(?:before|after(?:wards?)?|thereafter|later|until|till|outside|except|elsewhere|otherwise"
    r"|anymore|any more|any longer|at the (?:start|beginning|end)|(?:in|for) (?:the |any )?(?:first|last|others?|rest"
    r"|remaining)|by)\b",
    re.IGNORECASE,
)
MARKUP = str.maketrans("", "", "*`")

EMPTY = {"null", "none", "false", "[]", "{}"}
# fmt: off
FIELDS = {
    "answer", "bbox", "bbox_2d", "bboxes", "box", "boxes", "detections", "end", "end_s",
    "end_time", "exists", "found", "objects", "present", "result", "segment", "segments", "start",
    "start_s", "start_time", "time", "time_window", "timestamps", "visible", "window", "windows",
}
# fmt: on


def denies(body: str, closed: bool = True) -> bool:
    """Whether an answer says in any known wording that the object is not there.

    Args:
        body: ``plain`` text.
        closed: False where the reply was cut off inside it: only the agreed words count then, as others may go on
            ("not visible un"til 5s).
    """
    body = body.translate(MARKUP)
    if not closed:
        return bool(WHOLE.fullmatch(body))
    return _is_empty(body) or bool(ABSENT_WORD.fullmatch(body)) or contradicts(body)


def contradicts(body: str) -> bool:
    """Whether an answer that also names a window or a box says that the object is not there. Takes ``plain`` text."""
    body = body.translate(MARKUP)
    return any(not SCOPE.match(body, said.end()) for said in ABSENT.finditer(body))


def _is_empty(body: str) -> bool:
    """Whether it is JSON with nothing in it: ``[]``, ``{"start": null, "end": null}``, ``{"present": false}``."""
    if not body.startswith(("[", "{")):
        return False
    words = re.findall(r"\[\s?\]|\{\s?\}|\w+", body.replace("[[]]", "[]").lower())
    said = {word.replace(" ", "") for word in words}
    return bool(said & EMPTY) and said <= EMPTY | FIELDS
