# SPDX-License-Identifier: Apache-2.0
"""Whether a query names one thing or several: "the chairs", "both mugs", "the mug and the bottle"; told from its words.

English, and what French, Spanish, German and Chinese say before several things. In doubt it is one thing.
"""

import re

from scene_r1_ros.reasoning.sections import plain

LEAD = re.compile(
    r"\A\W*(?:(?:please|find|locate|get|segment|detect|mark|show(?: me)?|look for|point (?:at|to))\s){0,3}",
    re.IGNORECASE,
)
ONE_OF = re.compile(
    r"(?:the\s)?(?:\w+\s)?(?:one|any|each one|either|neither)\sof\b|(?:what|something|anything)\b", re.IGNORECASE
)
SEVERAL = re.compile(
    r"(?:all|both|every|each|several|many|multiple|various|these|those)\b(?!-)"
    r"|(?:a|the)\s(?:few|couple of|number of|lot of|dozen)\b|lots of\b|everything\b"
    r"|(?:les|los|las|tous|toutes|todos|todas|alle|beide|mehrere)\b|所有|全部|每",
    re.IGNORECASE,
)
# Where the words that name the thing end, and those begin that tell it from others.
END_OF_NAME = re.compile(
    r"(?<=\w)\s(?:of|on|in|at|by|to|from|with|without|near|next|close|under|over|above|below|behind|before|between|beside"
    r"|beneath|against|among|around|inside|along|across|opposite|left|right|that|which|who|whose|where|when|for|as|is|are"
    r"|was|were|has|have|not|but|i|you|he|she|it|we|they)\b|[,.;:(?!]",
    re.IGNORECASE,
)
ANOTHER = re.compile(r"\s(?:and|plus|as well as|&)\s(?:the|a|an|my|your|his|her|our|their|one)\s", re.IGNORECASE)
DESCRIBING = re.compile(
    r"(?:\s[a-z]{2,20}(?:ing|ed)){1,5}\Z", re.IGNORECASE
)  # "the chairs standing", "the books stacked"
LAST_WORD = re.compile(r"([a-z]{2,30})\W*\Z", re.IGNORECASE)

# Words that end in s and are one thing, or that have no singular; and some that are several without it.
ONE = re.compile(
    r"(?:.*(?:ss|us|is|ous)|gas|lens|bias|atlas|canvas|pancreas|texas|christmas|chaos|cosmos|news|series|species|means|bus"
    r"|scissors|(?:sun|eye|reading)?glasses|goggles|binoculars|trousers|pants|jeans|shorts|tights|pyjamas|pajamas"
    r"|(?:head|ear)phones|headset|pliers|tongs|tweezers|stairs|clothes|electronics|mathematics|physics|sports|lego|dominoes"
    r"|thermos|headquarters|crossroads|mercedes|mens|womens|adidas|vans|yes)",
    re.IGNORECASE,
)
MANY = re.compile(r"(?:people|men|women|children|feet|teeth|mice|geese|shelves)", re.IGNORECASE)


def names_several(query: str) -> bool:
    """Whether a query asks for several things, each of which shall be found."""
    words = LEAD.sub("", plain(query), count=1)
    if ONE_OF.match(words):
        return False
    if SEVERAL.match(words):
        return True
    name = DESCRIBING.sub("", _name(words))
    last = LAST_WORD.search(name)
    return bool(ANOTHER.search(name) or (last and _is_plural(last[1])))


def _name(words: str) -> str:
    """The words that name the thing: "the red chairs" of "the red chairs left of the table"."""
    for end in END_OF_NAME.finditer(words):
        if re.search(r"(?<!\A)\b(?!the\b|an?\b|my\b)\w+\Z", words[: end.start()], re.IGNORECASE):
            return words[: end.start()]
    return words


def _is_plural(word: str) -> bool:
    return bool(MANY.fullmatch(word)) or (word.lower().endswith("s") and not ONE.fullmatch(word))
