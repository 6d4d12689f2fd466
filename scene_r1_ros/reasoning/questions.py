# SPDX-License-Identifier: Apache-2.0
"""What a question wants: one of its options, a number, yes or no, or words; and whether it asks where something is.

Told from the words alone, without a model. English; for "how many" and "where" also German, French, Spanish, Chinese.
What is not recognised is free, and asks for no place.
"""

import re

from scene_r1_ros.answer import AnswerKind
from scene_r1_ros.reasoning.sections import plain

MARKER = re.compile(r"(?:(?<=[\s,;:?])|\A)(?:\(([A-Ha-h])\)|([A-H])[).:](?=\s)|([a-h])\)(?=\s))\s?")

SENTENCE = re.compile(r"[^.?!;¿¡]{1,500}(?:\.(?=[a-z0-9])[^.?!;]{1,500}){0,5}\??", re.IGNORECASE)
# What stands before the question itself: "Hey robot, can you please tell me", "In the kitchen," but not "What, ".
LEAD = re.compile(r"(?!(?:what|which|who|whose|how|why|where|when|is|are|was|were|wo)\b)[^,?]{1,60},\s", re.IGNORECASE)
ASKING = r"(?:(?:what|which|who|whose|how|where|why)\b|where'd\b|the (?:total |exact )?number of\b)"
ORDER = r"(?:tell|show|say|give|count|describe|explain|list|name)\b"
MAY_ASK = r"(?:find out|figure out|check|look|see|say|know|remember|recall)"  # and then, if or where
POLITE = re.compile(
    r"(?:(?:please|kindly|hey|hi|hello|robot|ok|okay|so|and|now)\b[\s,]{1,3}"
    rf"|(?:can|could|would|will) you\s(?=(?:please\s)?(?:{ORDER}|{MAY_ASK}\s(?:if|whether|{ASKING})))"
    rf"|(?:tell|show) (?:me|us)\s|let me know\s|(?:do you\s)?{MAY_ASK}\s(?={ASKING})"
    rf"|(?:(?:do you have |have you |got )?(?:any )?(?:idea|clue)|have you (?:seen|noticed))\s(?={ASKING})"
    r"|i(?:'d like to know| want to know| would like to know| wonder)\s){1,6}",
    re.IGNORECASE,
)

HOW_MANY = re.compile(
    r"\bhow many\b|\Acount\s"
    r"|\bwie ?viele\b|\banzahl de[rs]\b|\bzähle\b|\bcombien d(?:e\s|')|\bcu[áa]nt[oa]s\b"
    r"|多少(?!钱|度|米|秒|分)|几(?:个|把|张|只|本|辆|台|人|位|件|扇|瓶|块)",
    re.IGNORECASE,
)
# Not "the number of the bus".
NUMBER_OF = re.compile(
    r"(?:\A|\bthe\s|\bexact\s)(?:number|count) of\s(?!the\b|this\b|that\b)|\b(?:total|overall)\s(?:number|count) of\s",
    re.I,
)
# A length, a time or a share is measured, and not counted.
MEASURED = re.compile(
    r"\b(?:how many|number of)\s(?:more\s)?(?:(?:milli|centi|kilo)?(?:met(?:er|re)s|grams)|cm|mm|m|feet|inch(?:es)?"
    r"|seconds|minutes|hours|days|degrees|percent|lit(?:er|re)s|square|cubic)\b",
    re.IGNORECASE,
)
AUXILIARY = r"(?:is|are|was|were|am|do|does|did|can|could|has|have|had|will|would|should|shall|must|may|might)"
YES_NO = re.compile(rf"{AUXILIARY}(?:n't)?\b(?!\s*[,:])|(?:if|whether)\b", re.IGNORECASE)
CHECK = re.compile(rf"{MAY_ASK}\s(?:if|whether)\b", re.IGNORECASE)
TAG = re.compile(rf",\s?(?:{AUXILIARY}(?:n't| not)?\s(?:it|they|there|he|she|you|we|that)|right|correct)\s?\?", re.I)
OR_ELSE = re.compile(r"\bor\b(?!\s(?:not|no)\b)", re.IGNORECASE)

# Of several kinds, any will do for a yes: "Is there a mug or a cup?"
ANY_THERE = re.compile(
    rf"{AUXILIARY}\s(?:there|you\s(?:see|seen|spot|spotted|find|found|notice|noticed))\s(?:an?|any|some)(?:one|body|thing)?\b",
    re.IGNORECASE,
)
WITHOUT = re.compile(r"\b(?:no|not|none|nothing|nobody|without|empty|free of)\b|n't\b", re.IGNORECASE)

PLACE = (
    r"(?:place|location|spot|position|room|area|zone|corner|part|side|shelf|drawer|table|desk|cupboard|cabinet|box|bin)"
)
BE = r"(?:(?:is|are|was|were)\b|'s\b)"
LEFT = r"(?:leave|left|put|place|placed|drop|dropped|see|seen|lay|laid|forget|forgotten|hide|hidden|park|parked)"
WHERE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:and\s)?where(?:abouts)?\s?(?:exactly\s)?{BE}(?:\snow)?\s(?P<thing>.+)",
        rf"where(?:abouts)?\s(?:in|on|at|inside|under|near)\s(?:\w+\s){{1,4}}{BE}\s(?P<thing>.+)",
        r"where\s(?:can|could|do|would|should|might|may)\s(?:i|we|you|one)\s(?:\w+\s)?(?:find|see|get|look for|spot)"
        r"\s(?P<thing>.+)",
        rf"where(?:'d|\s(?:did|have|had|has))\s(?:i|we|you|he|she|they|someone|somebody)\s(?:\w+\s)?{LEFT}\s(?P<thing>.+)",
        r"where\s(?:can|could|might|may|would|should|must)\s(?P<thing>.+)\sbe(?:\s(?:found|seen|now|located))?",
        r"where\s(?:do|does|did)\s(?P<thing>.+)\s(?:stand|lie|sit|hang|go)",
        r"where\s(?:has|have)\s(?P<thing>.+)\s(?:gone|been(?:\s\w+)?)",
        rf"where\s(?:i|we|you)\s(?:(?:have|had|last|can|could|may)\s)?(?:find|{LEFT})\s(?P<thing>.+)",
        r"where\sto\s(?:find|look for|get)\s(?P<thing>.+)",
        r"where(?:abouts)?\s(?:exactly\s)?(?P<thing>.+)\s(?:is|are|was|were|lies?|stands?|sits?|hangs?)",
        rf"(?:in|on|at|under|behind|near|inside)\s(?:which|what)\s{PLACE}(?:\sof\s(?:the\s)?\w+)?\s{BE}\s(?P<thing>.+)",
        rf"(?:which|what)\s{PLACE}\s{BE}\s(?P<thing>.+)\s(?:in|on|at|under)",
        rf"(?:what|which)\s?{BE}\sthe\s(?:exact\s)?(?:location|position|place|whereabouts)\sof\s(?P<thing>.+)",
        r"wo\s(?:ist|sind|war|waren|liegt|liegen|steht|stehen|hängt|finde ich|befinde[nt]\ssich)\s(?P<thing>.+)",
        r"wo\s(?:kann|könnte)\s(?:ich|man|wir)\s(?P<thing>.+)\s(?:finden|sehen|suchen)",
        r"wo\s(?P<thing>.+)\s(?:ist|sind|war|waren|liegt|liegen|steht|stehen|hängt|hängen)",
        r"wo\shabe? ich\s(?P<thing>.+)\s(?:gelassen|hingelegt|hingestellt|abgestellt|verloren|gesehen)",
        r"o[ùu]\s(?:est|sont|se trouvent?|ai-je (?:laissé|mis|posé))\s(?P<thing>.+)",
        r"(?:a )?d[óo]nde\s(?:est[áa]n?|se encuentran?|dej[ée]|puse|hay)\s(?P<thing>.+)",
        r"(?P<thing>[^,]{1,100}?)\s?(?:放)?在(?:哪里|哪儿|哪|什么地方|什么位置)\w?",
    )
)
# What is said behind the thing: "located", "right now", "please".
TAIL = re.compile(
    r"(?:\s|,\s?)(?:located|last seen|situated|placed|positioned|kept|stored|standing|lying|now|right now|currently"
    r"|at the moment|exactly|again|please|at|to be found|last|jetzt|gerade|bitte|maintenant|ahora)\Z",
    re.IGNORECASE,
)
NEXT_QUESTION = re.compile(r",?\s(?:and|or)\s(?:what|how|who|which|where|why|is|are|does|do|can)\b.*\Z", re.IGNORECASE)
NO_THING = re.compile(
    r"(?:it|they|them|he|she|him|her|i|we|you|us|me|this|that|these|those|there|here|one|any|some|someone|somebody|everyone"
    r"|everybody|everything|anything|something|the robot"
    r"|(?:it|there)\s.{1,2000}"  # "where is it safe", "where is there space"
    r"|es|er|sie|du|ich|wir|il|elle|ils|elles|tu|él|ella|我|你|他|她|它|我们)",
    re.IGNORECASE,
)

# What the answer to each kind shall look like, and an example.
FORMS: dict[AnswerKind, tuple[str, str]] = {
    "choice": ("Answer with the letter and the text of exactly one of the options", "B. blue"),
    "count": ("Answer with exactly one number in digits, 0 where there are none", "3"),
    "yes_no": ("Begin the answer with yes or no, and say behind it why in a few words", "yes, on the desk"),
    "free": ("Answer in a few words, without repeating the question", "on the desk"),
}


def kind_of(question: str) -> AnswerKind:
    """How the answer to a question is to be read.

    "Is it red or blue?" is free: neither yes nor no answers it.
    """
    if options_of(question):
        return "choice"
    asked = _asked(question)
    if any(_is_count(one) for one in asked):
        return "count"
    return "yes_no" if any(_is_yes_no(one) for one in asked) else "free"


def asked_thing(question: str) -> str | None:
    """What a question asks the place of, "the red mug" of "Where is the red mug?"; None where it asks something else,
    or names no thing: "Where is it?"
    """
    for asked in _asked(question):
        words = without_manners(asked).rstrip("?. ")
        for pattern in WHERE:
            if match := pattern.fullmatch(words):
                return _thing(match["thing"])
    return None


def options_of(question: str) -> dict[str, str]:
    """The options of a multiple choice question by letter: "(A) red (B) blue", "A. red B. blue"; else empty."""
    markers = list(MARKER.finditer(question))
    letters = [marker[marker.lastindex or 0].upper() for marker in markers]
    if len(letters) < 2 or letters != list("ABCDEFGH"[: len(letters)]):
        return {}
    ends = [marker.start() for marker in markers[1:]] + [len(question)]
    texts = [question[m.end() : end].strip(" \n\t,;") for m, end in zip(markers, ends, strict=True)]
    return dict(zip(letters, texts, strict=True))


def _asked(question: str) -> list[str]:
    """The questions among the sentences; all sentences where none ends as a question."""
    sentences = [match[0].strip() for match in SENTENCE.finditer(plain(question))]
    return [one for one in sentences if one.endswith("?")] or sentences


def without_manners(sentence: str) -> str:
    """A sentence without what is said before its question or order.

    >>> without_manners("Hey robot, can you please tell me where the mug is?")
    'where the mug is?'
    """
    for _ in range(4):
        before = sentence
        if lead := LEAD.match(sentence):
            sentence = sentence[lead.end() :]
        if polite := POLITE.match(sentence):
            sentence = sentence[polite.end() :]
        if sentence == before:
            break
    return sentence


def asks_if_there_is(question: str) -> bool:
    """Whether it asks if any of something is there, so that "none is visible" is a no; not "Is there one without?"."""
    asked = _asked(question)
    return len(asked) == 1 and bool(ANY_THERE.match(without_manners(asked[0]))) and not WITHOUT.search(asked[0])


def _is_count(asked: str) -> bool:
    words = without_manners(asked)
    if MEASURED.search(asked):
        return False
    return bool(HOW_MANY.search(words) or (NUMBER_OF.search(words) and not YES_NO.match(words)))


def _is_yes_no(asked: str) -> bool:
    if TAG.search(asked):
        return True
    words = without_manners(asked)
    return bool(YES_NO.match(words) or CHECK.match(words)) and bool(ANY_THERE.match(words) or not OR_ELSE.search(words))


def _thing(words: str) -> str | None:
    words = NEXT_QUESTION.sub("", words).strip(" \"'.,!?")
    while (shorter := TAIL.sub("", words)) != words:
        words = shorter.strip(" ,")
    return None if not words or NO_THING.fullmatch(words) else words
