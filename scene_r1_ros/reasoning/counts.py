# SPDX-License-Identifier: Apache-2.0
"""How many, in a model's words: "three", "There are 3 chairs.", "a dozen", "none", and those words in other languages.

Rather none than a wrong one: "3 or 4", "at least three", "one red and one blue" and "no idea" are no count. Bounded
repetitions only, so that no text makes an expression slow.
"""

import re

from scene_r1_ros.reasoning.denial import denies
from scene_r1_ros.reasoning.times import without_times

MAX_CHARACTERS = 4_000  # a longer answer is no number

# By value. English, German, French, Spanish; "once" is left out: it is 1 in English, 11 in Spanish.
SMALL = (
    "zero no none null nil keine keiner keines kein zéro aucun aucune cero ningún ninguno ninguna 没有",
    "one single eins ein eine einen einer un une uno una",
    "two couple pair twice zwei deux dos",
    "three thrice drei trois tres",
    "four vier quatre cuatro",
    "five fünf cinq cinco",
    "six sechs seis",
    "seven sieben sept siete",
    "eight acht huit ocho",
    "nine neun neuf nueve",
    "ten zehn dix diez",
    "eleven elf onze",
    "twelve zwölf douze doce",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
VALUES = {word: value for value, words in enumerate(SMALL) for word in words.split()}
UNDER_20 = "|".join(sorted(VALUES, key=len, reverse=True))
VALUES |= {word: 10 * i for i, word in enumerate(TENS, start=2)}
MULTIPLES = {"dozen": 12, "dutzend": 12, "hundred": 100, "thousand": 1000}
HAN = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "\u3007": 0}

UNDER_100 = rf"(?:(?:{'|'.join(TENS)})(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine))?|{UNDER_20})"
UNDER_1000 = rf"(?:(?:{UNDER_100}\s)?(?:hundred(?:\s(?:and\s)?{UNDER_100})?|dozen|dutzend)|{UNDER_100})"
SPELLED = rf"(?:(?:{UNDER_1000}\s)?thousand(?:\s(?:and\s)?{UNDER_1000})?|{UNDER_1000})"
DIGITS = r"(?<![\w.,])(?:\d{1,3}(?:,\d{3}){1,3}|\d{1,9}(?:\.\d{1,2})?)(?![\d%]|[.,]\d|\s%)(?![a-z_])"
NUMBER = re.compile(
    rf"(?P<digits>{DIGITS})|\b(?P<spelled>{SPELLED})\b|(?P<spelled_han>没有)|(?P<han>[零\u3007一二两三四五六七八九十百]{{1,7}})",
    re.IGNORECASE,
)

# Bounds, shares, sums that are left to the reader, and doubt.
UNCLEAR = re.compile(
    rf"\b(?:(?:over|under|about|around|approximately|roughly|circa|nearly|almost)\s(?:an?\s)?(?={SPELLED}\b|\d)"
    r"|at (?:least|most)|more|less|fewer|greater|up to|or so|dozens|hundreds|thousands|pairs|couples"
    r"|(?:one|a)[-\s](?:quarter|third|fifth|tenth)|quarters|thirds|fifths|tenths|percent"
    r"|(?:ein|une?|una) (?:paar|paire?|par|peu|halb\w{0,3}|haufen|menge|\w{2,12}(?:aine|ena))"
    r"|another|others?|additional(?:ly)?|plus|a (?:third|fourth|fifth|sixth)"
    r"|not (?:a|one|even|sure|certain|clear(?:ly)?|known)|can(?:no|')t|unable|unclear|uncertain|unknown|determined?"
    r"|no[\w ]{1,60} clearly"
    r"|no (?:idea|way|clue|telling|saying|doubt|clear|certain|exact|definite|precise|information|evidence|answer|count"
    r"|number|means))\b|(?:\A|\s)-\d|\d\s?[+/]|\bhalf\b",
    re.IGNORECASE,
)
NO_MORE = re.compile(r"\bno (?:more|others?|fewer|less)\b(?! than)", re.IGNORECASE)  # "4 chairs, no more"
HALF_A_DOZEN = re.compile(r"\bhalf a dozen\b", re.IGNORECASE)
NO_COUNT = re.compile("一共|一些|一样|一起")  # "altogether", "some", "alike", "together": with the sign for one
# What stands behind explains the number before, where it adds up to it: "3 chairs: two at the desk, one at the window",
# "three (3)", "two chairs, one red and one blue"; but not "two red, one blue and one green".
EXPLAINED = re.compile(
    rf"(?P<count>[^:()]{{1,60}})(?::(?P<parts>[^:()]{{1,500}})|\((?P<aside>[^()]{{1,500}})\)\W{{0,3}})\Z"
    rf"|(?P<things>(?:there are\s|i see\s)?(?:{SPELLED}|\d{{1,4}})\s[a-z]{{2,30}}s)"
    r",\s(?P<each>one\s[^:()]{1,200}\band\sone\s[^:()]{1,200})\Z",
    re.IGNORECASE,
)
# Some of those that were counted: "12 chairs, 6 on each side", "3 chairs, one of which is broken".
SOME_OF_THEM = re.compile(
    rf"(?:[,;]\s|\()(?:and\s)?(?:{SPELLED}|\d{{1,4}})\s"
    r"(?:of (?:which|them|these|those)|(?:on|at|in|by) (?:each|either|every))\b",
    re.IGNORECASE,
)


def count_in(answer: str) -> str:
    """The one number that an answer names, in digits; "0" where it says that there is none; empty where unclear."""
    if len(answer) > MAX_CHARACTERS:
        return ""
    text = NO_COUNT.sub("", HALF_A_DOZEN.sub("6", NO_MORE.sub("", without_times(answer))))
    if UNCLEAR.search(text):
        return ""
    values = _explained(text) or _values(SOME_OF_THEM.sub(" (", text)) or _values(text)
    if not values and denies(text):
        return "0"
    return _digits(values[0]) if len(values) == 1 else ""


def _explained(text: str) -> list[float]:
    """The number that the rest of the text adds up to; empty where it does not."""
    if not (match := EXPLAINED.match(text)):
        return []
    head = _values(match["count"] or match["things"])
    parts = _values(match["parts"] or match["aside"] or match["each"])
    return head if len(head) == 1 and sum(parts) == head[0] else []


def _values(text: str) -> list[float]:
    return [_value(match) for match in NUMBER.finditer(text)]


def _value(match: re.Match) -> float:
    if match["digits"]:
        return float(match["digits"].replace(",", ""))
    return _han(match["han"]) if match["han"] else _spelled(match[0])


def _spelled(words: str) -> float:
    """ "one hundred and twenty-one" -> 121, "dozen" -> 12, "two dozen" -> 24."""
    thousands, rest = 0, 0
    for word in re.findall(r"[^\W\d]+", words.casefold()):
        if word == "thousand":
            thousands, rest = (rest or 1) * 1000, 0
        elif word in MULTIPLES:
            rest = (rest or 1) * MULTIPLES[word]
        else:
            rest += VALUES.get(word, 0)  # "and"
    return thousands + rest


def _han(signs: str) -> float:
    """ "二十一" -> 21, "一百零五" -> 105."""
    whole, digit = 0, 0
    for sign in signs:
        if sign in HAN:
            digit = HAN[sign]
        else:
            whole, digit = whole + (digit or 1) * {"十": 10, "百": 100}[sign], 0
    return whole + digit


def _digits(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
