# SPDX-License-Identifier: Apache-2.0
"""The noun that an English query is about, and whether others name it: "the red mug left of the sink" is a mug.

A rule without a tagger or weights: the head of a noun phrase is its last word before whatever follows it (preposition,
participle, relative clause). Rather none than a wrong one: other languages, vague words ("something to sit on"), whole
kinds ("the furniture"), two things at once and forms that the rule is not sure of give no noun.
"""

import re
from typing import NamedTuple

WORD = re.compile(r"[a-z0-9](?:[a-z0-9'-]{0,40}[a-z0-9])?|[^\sa-z0-9]")
COMMAND = re.compile(
    r"\A(?:(?:please|can you|could you)\s)?(?:find|show me|look for|locate|search for|point (?:at|to)|where (?:is|are)"
    r"|where's|go to|bring me|fetch|get|give me|pick up|take me to)\s"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# "a" alone is an article of many languages, see ``_is_english``.
DETERMINERS = _words(
    "a an the my your his our their this that these those some any each every both all one two three four five six"
    " seven eight nine ten"
)
COLORS = _words("red green blue yellow orange purple pink brown black white grey gray beige golden silver")
ADJECTIVES = COLORS | _words(
    "dark light bright pale big small large little tiny huge tall short long wide narrow thick thin high low round"
    " square flat old new open closed empty full clean dirty wooden metal metallic plastic glass leather ceramic"
    " striped left right upper lower middle first second third last other same only nearest closest biggest smallest"
    " largest tallest"
)
FOREIGN_TOO = _words("a all beige gold grey metal open orange pink plastic")  # "orange Tasse", "metal sandalye"
PARTICLES = _words("in on up down off out over around through")  # "the built in oven", "the pull out drawer"
BOUNDARIES = _words(
    "of on in at by near nearby beside besides next under underneath below beneath above over behind before between"
    " among amid against along across around inside outside within with without from for to into onto off up down out"
    " through toward towards opposite past beyond about as than like that which who whose whom where when while there"
    " here is are was were has have had i you we it closest nearest farthest left right"
    " a an the my your this these those"
)
PARTICIPLES = _words(
    "standing sitting lying laying hanging leaning facing resting holding wearing containing showing covering using"
    " looking pointing blocking supporting touching having being belonging mounted placed located attached used made"
    " filled seen stacked surrounded positioned labelled labeled marked called named plugged hung kept put set stored"
    " parked shown covered decorated tucked propped fixed"
)
AFTER_PLACE = _words("of to from the a an my your this that")  # "left of", "nearest the door": places, not adjectives
PLACES = _words("left right closest nearest farthest next opposite")
SECOND_THING = _words("and or & / +")
QUANTITIES = _words(
    "one any each all both some pair pairs set sets piece pieces bunch row stack group couple kind sort"
)
VAGUE = _words(
    "something anything everything somebody someone thing things object objects item items one ones place spot area"
    " stuff part parts side top bottom back front end edge corner middle center centre rest inside outside surface way"
    " furniture container device appliance tool animal vehicle fruit food drink toy clothing seat decoration machine"
    " gadget electronics tableware dish equipment obstacle product person people exit entrance room"
    " water coffee tea milk juice beer wine soda coke cola soup"  # one sees what they are in
)
CONTAINERS = _words(
    "bag basket bottle bowl box can carton case crate cup dispenser holder jar pack packet pot tray tub vase"
)
OBJECT = _words("object target")  # what a model calls the thing that it looks for
# Of little use in prose about a video: "I can see", "in the frame", "the camera turns".
COMMON = _words(
    "can frame picture photo print clip video image view scene camera light lead display shade throw range remote"
    " control watch cover stand rest side second minute time start end"
)
# Names of the same thing in everyday speech, in the form of ``singular``. Words that end alike ("armchair", "chair")
# need no entry.
SYNONYMS = tuple(map(_words, (
    "sofa couch settee loveseat sectional", "mug cup", "tv television screen monitor display", "fridge refrigerator",
    "picture painting photo photograph poster print frame artwork portrait", "poster sign", "vase pot planter",
    "rug carpet mat", "bin can basket trash garbage recycling", "basket hamper", "pillow cushion", "desk table",
    "glass cup", "cupboard cabinet wardrobe closet dresser drawer sideboard",
    "phone smartphone mobile telephone handset", "laptop computer notebook macbook pc",
    "bag backpack rucksack handbag purse", "suitcase luggage baggage", "plant flower tree",
    "shelf bookshelf bookcase rack shelving", "tap faucet", "stove cooker oven hob range", "microwave oven",
    "toilet wc", "box carton package parcel crate", "curtain drape blind shade shutter", "bike bicycle",
    "blanket duvet quilt throw", "car automobile", "trouser pant jean",
    "jumper sweater sweatshirt pullover hoodie", "hat cap beanie", "wallet purse", "jacket coat",
    "pot pan saucepan skillet", "footstool ottoman pouf stool", "stool chair seat", "chair recliner", "lamp light",
    "shoe sneaker boot trainer slipper", "towel cloth", "sink basin washbasin", "remote control",
    "outlet socket plug", "cable cord wire lead", "thermos flask bottle", "vacuum hoover cleaner",
    "counter countertop worktop island", "nightstand table bedside", "handle knob doorknob", "kettle teapot",
    "jug pitcher carafe", "lid cap", "tube pipe hose", "pen marker ballpoint", "bed mattress", "cart trolley",
    "fan ventilator", "heater radiator", "board blackboard chalkboard whiteboard", "folder binder",
    "magazine book newspaper booklet", "piano keyboard", "skirting baseboard", "stroller pram pushchair buggy",
    "dog puppy", "cat kitten", "woman lady girl", "man boy guy", "child kid boy girl toddler baby", "robot roomba",
    "glass spectacle", "headphone headset", "door doorway", "stair staircase",
)))  # fmt: skip
MIN_SUFFIX = 3  # letters of a word that ends another: "cup" in "teacup"


def head_nouns(query: str) -> frozenset[str]:
    """The words of which a label of what ``query`` names should have one, in the singular; empty where the rule is not
    sure. More than one where either would do: of "a bowl of apples", "the tissue box".
    """
    text = COMMAND.sub("", " ".join(query.split()).casefold())
    words = WORD.findall(text.strip(" .?!"))
    if not text.isascii() or not _is_english(words):
        return frozenset()
    return _heads(words)


def _is_english(words: list[str]) -> bool:
    """Whether a known word says so: "the", or a colour at the beginning; "a" only beside another known word."""
    if not words or words[0] not in DETERMINERS | ADJECTIVES:
        return False
    return words[0] not in FOREIGN_TOO or any(word in BOUNDARIES | ADJECTIVES for word in words[1:])


def _heads(words: list[str]) -> frozenset[str]:
    if words[0] in QUANTITIES and words[1:2] == ["of"]:  # "one of the chairs"
        words = words[2:]
    phrase, rest = _phrase(words)
    own = _heads_of(phrase, rest)
    if rest[:1] != ["of"] or len(rest) < 2 or not phrase:
        return own
    if phrase[-1] in QUANTITIES:
        return _heads_of(*_phrase(rest[1:]))  # "a pair of shoes"
    if rest[1] in DETERMINERS or not own:
        return own
    return own | _heads_of(*_phrase(rest[1:]))  # "a bowl of apples" is labelled as either


def _phrase(words: list[str]) -> tuple[list[str], list[str]]:
    """The noun phrase that ``words`` begin with, without its determiners, and what follows it."""
    start = next((i for i, word in enumerate(words) if word not in DETERMINERS), len(words))
    end = next((i for i in range(start, len(words)) if _ends_phrase(words, i, start)), len(words))
    return words[start:end], words[end:]


def _ends_phrase(words: list[str], i: int, start: int) -> bool:
    word, following = words[i], words[i + 1] if i + 1 < len(words) else ""
    if word in PLACES:  # "the left mug", but "the mug left of the sink"
        return i > start and (following in AFTER_PLACE or not following)
    if word in PARTICIPLES:  # "the hanging lamp"
        return i > start
    return word in BOUNDARIES or word in SECOND_THING or not word[0].isalnum()


def _heads_of(phrase: list[str], rest: list[str]) -> frozenset[str]:
    if not phrase or not _is_sure(rest):
        return frozenset()
    head = singular(phrase[-1].removesuffix("'s"))
    may_be_verb = (head.endswith("ed") and len(head) > 4) or (head.endswith(("ing", "ly")) and len(phrase) > 1)
    if may_be_verb or head in VAGUE | ADJECTIVES | QUANTITIES or not head.isalpha():
        return frozenset()
    holds = phrase[-2:-1] if head in CONTAINERS else []  # "the tissue box" is labelled "tissues", too
    return frozenset({head, *(singular(word) for word in holds if word.isalpha())} - ADJECTIVES - VAGUE)


def _is_sure(rest: list[str]) -> bool:
    """Whether what follows a phrase leaves no doubt that it ends there: no second thing, no list of adjectives."""
    if not rest or rest[0] in (".", ";", ":", "("):
        return True
    if rest[0] in PARTICLES | PARTICIPLES:  # "the wall mounted lamp"
        return len(rest) == 1 or rest[1] in BOUNDARIES | {"front", "top"}
    if rest[0] == ",":
        return len(rest) > 1 and rest[1] in BOUNDARIES | PARTICIPLES
    return rest[0] in BOUNDARIES


def singular(word: str) -> str:
    """The singular of a regular plural, and of a few others."""
    irregular = {"knives": "knife", "shelves": "shelf", "leaves": "leaf", "scarves": "scarf", "men": "man",
                 "women": "woman", "children": "child", "mice": "mouse", "feet": "foot", "teeth": "tooth",
                 "thermos": "thermos"}  # fmt: skip
    if word in irregular:
        return irregular[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def names_one(label: str, nouns: frozenset[str]) -> bool | None:
    """Whether a label names what one of ``nouns`` names; None where it cannot be told."""
    words = _singulars(label)
    if not nouns or not words or not label.isascii() or words[-1] in VAGUE:
        return None
    return any(_alike(word, noun) for word in words for noun in nouns)


class Subject(NamedTuple):
    """What a query is about, as prose may name it."""

    names: frozenset[str]
    colors: frozenset[str]


def subject_of(query: str) -> Subject:
    """Of a query of one word, in whatever language, that word: prose that repeats it speaks of the same."""
    words = _singulars(query)
    only = frozenset(words) - VAGUE if len(words) == 1 else frozenset[str]()
    names = OBJECT.union(*map(_synonyms, head_nouns(query) or only))
    return Subject(names - COMMON, COLORS.intersection(words))


def speaks_of(text: str, subject: Subject) -> bool:
    """Whether a piece of prose names a subject, by its noun or as "the object", and not in another colour."""
    words = frozenset(_singulars(text))
    colors = words & COLORS
    return not words.isdisjoint(subject.names) and not (colors and subject.colors and colors.isdisjoint(subject.colors))


def _singulars(text: str) -> list[str]:
    return [singular(word) for word in WORD.findall(text.casefold().replace("_", " ")) if word[0].isalnum()]


def _alike(word: str, noun: str) -> bool:
    """Whether one may be said for the other: a synonym, or its end. Not its beginning: a cupboard is no cup."""
    return any(_ends(word, name) for name in _synonyms(noun)) or _ends(noun, word)


def _ends(word: str, name: str) -> bool:
    return word == name or (len(name) >= MIN_SUFFIX and word.endswith(name))


def _synonyms(noun: str) -> frozenset[str]:
    return frozenset({noun}).union(*(group for group in SYNONYMS if noun in group))
