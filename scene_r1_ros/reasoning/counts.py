# SPDX-License-Identifier: Apache-2.0
"""How many, in a model's words: "three", "There are 3 chairs.", "a dozen", "none", and those words in other languages.

Rather none than a wrong one: "3 or 4", "at least three", "one red and one blue" and "no idea" are no count. Bounded
repetitions only, so that no text makes an expression slow.
"""

import re

from scene_r1_ros.reasoning.denial import denies
from scene_r1_ros.reasoning.sections import plain
from scene_r1_ros.reasoning.times import named_times

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
MULTIPLES = {"dozen": 12, "hundred": 100, "thousand": 1000}
HAN = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "\u3007": 0}

UNDER_100 = rf"(?:(?:{'|'.join(TENS)})(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine))?|{UNDER_20})"
UNDER_1000 = rf"(?:(?:{UNDER_100}\s)?(?:hundred(?:\s(?:and\s)?{UNDER_100})?|dozen)|{UNDER_100})"
SPELLED = rf"(?:(?:{UNDER_1000}\s)?thousand(?:\s(?:and\s)?{UNDER_1000})?|{UNDER_1000})"
DIGITS = r"(?<![\w.,])(?:\d{1,3}(?:,\d{3}){1,3}|\d{1,9}(?:\.\d{1,2})?)(?![\d%]|[.,]\d|\s%)(?![a-z_])"
NUMBER = re.compile(
    rf"(?P<digits>{DIGITS})|\b(?P<spelled>{SPELLED})\b|(?P<spelled_han>没有)|(?P<han>[零\u3007一二两三四五六七八九十百]{{1,7}})",
    re.IGNORECASE,
)

# Bounds, shares, sums that are left to the reader, and doubt.
UNCLEAR = re.compile(
    r"\b(?:at (?:least|most)|more|less|fewer|greater|over|under|up to|or so|dozens|hundreds|thousands|pairs|couples"
    r"|another|others?|additional(?:ly)?|plus|a (?:third|fourth|fifth|sixth)"
    r"|not (?:a|one|even|sure|certain|clear|known)|can(?:no|')t|unable|unclear|uncertain|unknown|clearly|determined?"
    r"|no (?:idea|way|clue|telling|saying|doubt|clear|certain|exact|definite|precise|information|evidence|answer|count"
    r"|number|means))\b|(?:\A|\s)-\d|\d\s?[+/]|\bhalf\b",
    re.IGNORECASE,
)
HALF_A_DOZEN = re.compile(r"\bhalf a dozen\b", re.IGNORECASE)
NO_COUNT = re.compile("一共|一些|一样|一起")  # "altogether", "some", "alike", "together": with the sign for one
# "3 chairs: two at the desk, one at the window", "three (3)": what stands behind explains the number before.
EXPLAINED = re.compile(r"(?P<count>[^:()]{1,60})(?::(?P<parts>[^:()]{1,500})|\((?P<aside>[^()]{1,500})\)\W{0,3})\Z")


def count_in(answer: str) -> str:
    """The one number that an answer names, in digits; "0" where it says that there is none; empty where unclear."""
    text = NO_COUNT.sub("", HALF_A_DOZEN.sub("6", plain(answer)))
    for named in named_times(text):
        text = text.replace(named.text, " ")
    if UNCLEAR.search(text):
        return ""
    values = _values(text)
    if explained := EXPLAINED.match(text):
        head, parts = _values(explained["count"]), _values(explained["parts"] or explained["aside"])
        values = head if len(head) == 1 and sum(parts) == head[0] else values
    if not values and denies(text):
        return "0"
    return _digits(values[0]) if len(values) == 1 else ""


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
