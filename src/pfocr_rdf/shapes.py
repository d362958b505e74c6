"""Shapes of schema.org blocks: blocks that JSON-LD must treat alike are expanded once, the others are filled in.

The *outline* of a block is its keys in order and, for each, whether a text, a list of texts or something else stands
there; anything else belongs to the outline with all that it holds. A text is a *slot* where expansion makes it a
plain literal whatever it says; this is found by trial, with words of our own in place of the texts. Where it is none
(addresses, types, dates) the very text is part of the *shape*. The *plan* of a shape is what the slow way makes of a
block of that shape: constant pairs and, for each slot, its predicate. Expansion in pyld looks at keys, types and
the context, and at texts only under keywords and where a term is coerced: hence what holds for one word in a slot
holds for any text, and what holds for two items of a list holds for any number but none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import repeat
from typing import Any, NamedTuple

from pfocr_rdf import terms
from pfocr_rdf.terms import Pair, Token

MAX_SHAPES = 500
"""Outlines, and shapes, that are remembered; the oldest makes room."""
MAX_WEIGHT = 2_000
"""Weight (see `_weight`) of a shape beyond which it is not remembered."""
MAX_DEPTH = 8
"""Levels of lists and maps within a value beyond which a block has no shape."""

Trial = Callable[[Mapping[str, Any]], tuple[list[Pair], bool]]
"""The slow way: the pairs of a block, and whether they are all that it gives (no named nodes, no problems)."""

_TEXT, _TEXTS, _PAGE = 1, 2, 3
_ATOM = 16
_WORD = "pfocrslotword"
"""Begins each word that stands for a text; no block that holds it itself has a plan."""
_ONCE = object()
"""What is remembered of an outline or a shape that was met once: what is odd seldom comes again."""
_NO_PLAN = object()
"""What is remembered of a shape that must go the slow way."""


class _Unusual(Exception):
    """A block that has no shape: too deep, or with a value that is no text, list or map."""


class _Step(NamedTuple):
    """What a plan puts out next: constant pairs, or where `slot` is not negative the pairs of that slot."""

    slot: int
    predicate: Token
    pairs: list[Pair]


_Plan = list[_Step]
_Outline = tuple[Hashable, ...]


class Shapes:
    """What is known of the blocks met so far, under one context document."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._fixed: dict[Hashable, Any] = {}
        self._plans: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        """Return how many outlines and shapes are remembered."""
        return len(self._fixed) + len(self._plans)

    def pairs(self, block: Mapping[str, Any], given: Hashable, trial: Trial) -> list[Pair] | None:
        """Return the pairs of a repaired block in the slow way's order, or None when only the slow way knows them.

        `given` is all that the slow way's answer depends on beside the block; the block's `@id` must be the address
        of its figure, on which nothing depends but the names of nodes.
        """
        try:
            outline, texts = _outline(block, given)
        except _Unusual:
            return None
        fixed = self._fixed.get(outline)
        if fixed is None:
            _remember(self._fixed, outline, _ONCE)
            return None
        if fixed is _ONCE:
            fixed = _find_fixed(block, outline, trial)
            _remember(self._fixed, outline, fixed)
        shape = (outline, tuple([_frozen(texts[index], 0) for index in fixed]))
        plan: Any = self._plans.get(shape)
        if plan is None:
            _remember(self._plans, shape, _ONCE)
            return None
        if plan is _ONCE:
            plan = _NO_PLAN if _WORD in repr(shape) else _make_plan(block, outline, fixed, trial)
            _remember(self._plans, shape, plan)
        return None if plan is _NO_PLAN else _filled(plan, texts)


def _filled(plan: _Plan, texts: list[Any]) -> list[Pair]:
    """Return the pairs of a plan with a block's own texts in its slots."""
    string = terms.string
    pairs: list[Pair] = []
    for slot, predicate, constant in plan:
        if slot < 0:
            pairs += constant
        elif type(texts[slot]) is str:
            pairs.append((predicate, string(texts[slot])))
        else:
            pairs += zip(repeat(predicate), terms.strings(texts[slot]), strict=False)
    return pairs


def _find_fixed(block: Mapping[str, Any], outline: _Outline, trial: Trial) -> tuple[int, ...]:
    """Return which of the texts that may be slots are none: a first guess, which making the plan puts to the proof."""
    sample, words = _with_words(block, outline, ())
    pairs, _ = trial(sample)
    places = _places(pairs, words)
    return tuple(slot for slot in words if slot not in places)


def _make_plan(block: Mapping[str, Any], outline: _Outline, fixed: tuple[int, ...], trial: Trial) -> object:
    """Return the plan of a shape, or `_NO_PLAN` when its pairs are not all or its slots are not plain literals."""
    sample, words = _with_words(block, outline, fixed)
    pairs, complete = trial(sample)
    places = _places(pairs, words)
    if not complete or places.keys() != words.keys():
        return _NO_PLAN
    slots = {place: slot for slot, place in places.items()}
    plan: _Plan = []
    at = 0
    while at < len(pairs):
        slot = slots.get(at, -1)
        if slot >= 0:
            plan.append(_Step(slot, pairs[at][0], []))
            at += len(words[slot])
            continue
        if any(_WORD in token for token in pairs[at]):
            return _NO_PLAN
        if not plan or plan[-1].slot >= 0:
            plan.append(_Step(-1, "", []))
        plan[-1].pairs.append(pairs[at])
        at += 1
    return plan


def _with_words(
    block: Mapping[str, Any], outline: _Outline, fixed: tuple[int, ...]
) -> tuple[dict[str, Any], dict[int, list[str]]]:
    """Return a block with words in place of its texts, but for the fixed ones, and the words by slot."""
    sample: dict[str, Any] = {}
    words: dict[int, list[str]] = {}
    slot = 0
    for (key, value), kind in zip(block.items(), outline[2::2], strict=True):
        sample[key] = value
        if kind not in (_TEXT, _TEXTS):
            continue
        if slot not in fixed:
            words[slot] = [f"{_WORD} {slot} {item}" for item in range(2 if kind == _TEXTS else 1)]
            sample[key] = words[slot] if kind == _TEXTS else words[slot][0]
        slot += 1
    return sample, words


def _places(pairs: list[Pair], words: dict[int, list[str]]) -> dict[int, int]:
    """Return where the words of each slot stand: side by side, each once, as plain literals of one predicate."""
    objects = [token for _, token in pairs]
    places: dict[int, int] = {}
    for slot, said in words.items():
        tokens = [terms.string(word) for word in said]
        if any(objects.count(token) != 1 for token in tokens):
            continue
        at = objects.index(tokens[0])
        found = pairs[at : at + len(tokens)]
        if found == [(pairs[at][0], token) for token in tokens] and _WORD not in pairs[at][0]:
            places[slot] = at
    return places


def _outline(block: Mapping[str, Any], given: Hashable) -> tuple[_Outline, list[Any]]:
    """Return the outline of a block, and the texts and lists of texts that may be slots."""
    parts: list[Hashable] = [given]
    texts: list[Any] = []
    for key, value in block.items():
        parts.append(key)
        if key == "@id":
            parts.append(_PAGE)
        elif key.startswith("@"):
            parts.append(_frozen(value, 0))
        elif type(value) is str:
            parts.append(_TEXT)
            texts.append(value)
        elif type(value) is list and set(map(type, value)) == {str}:
            parts.append(_TEXTS)
            texts.append(value)
        else:
            parts.append(_frozen(value, 0))
    return tuple(parts), texts


def _frozen(value: Any, depth: int) -> tuple[Hashable, ...]:
    """Return a value as tuples, of which equal ones come from equal values with keys in the same order."""
    kind = type(value)
    if kind is str:
        return ("text", value)
    if depth > MAX_DEPTH:
        raise _Unusual
    if kind is list:
        return ("list", *[_frozen(item, depth + 1) for item in value])
    if kind is not dict:
        raise _Unusual
    parts: list[Hashable] = ["map"]
    for key, item in value.items():
        if type(key) is not str:
            raise _Unusual
        parts += (key, _frozen(item, depth + 1))
    return tuple(parts)


def _weight(key: Hashable) -> int:
    """Return about how much memory a key takes: its characters, and a fixed sum for each part."""
    if isinstance(key, tuple):
        return _ATOM + sum(map(_weight, key))
    return len(key) if isinstance(key, str) else _ATOM


def _remember(table: dict[Hashable, Any], key: Hashable, value: object) -> None:
    if key not in table:
        if _weight(key) > MAX_WEIGHT:
            return
        if len(table) >= MAX_SHAPES:
            table.pop(next(iter(table)), None)
    table[key] = value
