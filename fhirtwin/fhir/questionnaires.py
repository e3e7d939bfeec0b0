"""Judges a QuestionnaireResponse by the Questionnaire that it answers.

What one answer must be is judged in `fhirtwin.fhir.answers`; here it is about which items there are, where, and how
often. Items that `enableWhen` switches off must not be answered. What is required counts once the response says that
it is whole: completed or amended.

*Source*: http://hl7.org/fhir/R4/questionnaireresponse.html#6.14.3,
http://hl7.org/fhir/R4/questionnaire-definitions.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fhirtwin.errors import Issue
from fhirtwin.fhir import answers
from fhirtwin.fhir.answers import extension
from fhirtwin.fhir.budget import Budget, TooMuch
from fhirtwin.fhir.terminology.value_sets import Find, nothing_loaded

MAX_ISSUES: Final = 100
MAX_SECONDS: Final = 5.0
"""Processor time of one judgement: many conditions may each ask among all of many answers."""
MAX_STEPS: Final = 500_000
"""Items that one judgement looks at."""
_WHOLE: Final = frozenset({"completed", "amended"})
_WITHOUT_ANSWERS: Final = {
    "group": "A group has no answers of its own.",
    "display": "An item of type display has no answers.",
    "question": "An item of the abstract type question has no answers.",
}

Json = Mapping[str, Any]


def judge(response: Json, find: Find = nothing_loaded, budget: Budget | None = None) -> list[Issue]:
    """Judge a valid QuestionnaireResponse by the Questionnaire that it names, where that is known.

    Args:
        response: the resource.
        find: gives loaded Questionnaire, ValueSet and CodeSystem resources.
        budget: what the judgement may cost; None means `MAX_SECONDS` and `MAX_STEPS`.

    Returns:
        The issues; as `information` or `warning` what could not be checked.
    """
    root = "QuestionnaireResponse"
    canonical = response.get("questionnaire")
    if canonical is None:
        text = "No questionnaire is named, so the answers were not checked against one."
        return [Issue("not-supported", text, (root,), severity="information")]
    questionnaire = _contained(response, canonical) if canonical.startswith("#") else find("Questionnaire", canonical)
    if questionnaire is None:
        text = "The questionnaire is not known here, so the answers were not checked against it."
        return [Issue("not-found", text, (f"{root}.questionnaire",), severity="warning")]
    limit = budget or Budget(MAX_SECONDS, MAX_STEPS)
    judgement = _Judgement(response, questionnaire, _within(response, questionnaire, find), limit)
    try:
        issues = list(judgement.level(response, questionnaire, root, (response,)))
    except TooMuch:
        text = "To check these answers takes longer than it may; they were not checked whole."
        return [Issue("too-costly", text, (root,))]
    if len(issues) > MAX_ISSUES:
        more = Issue("incomplete", "There are more problems than listed.", (root,), severity="information")
        return [*issues[:MAX_ISSUES], more]
    return issues


def _contained(owner: Json, canonical: str) -> Json | None:
    return next((one for one in owner.get("contained", ()) if f"#{one.get('id', '')}" == canonical), None)


def _within(response: Json, questionnaire: Json, find: Find) -> Find:
    """Find what is contained in the response or the questionnaire by `#id`, else by `find`."""

    def found(type_: str, canonical: str) -> Json | None:
        if not canonical.startswith("#"):
            return find(type_, canonical)
        return _contained(questionnaire, canonical) or _contained(response, canonical)

    return found


class _Judgement:
    def __init__(self, response: Json, questionnaire: Json, find: Find, budget: Budget) -> None:
        self._find = find
        self._whole = response["status"] in _WHOLE
        self._visit = budget.spend
        self._known = {item["linkId"] for item in _all_items(questionnaire)}

    def level(self, given: Json, asked: Json, place: str, around: tuple[Json, ...]) -> Iterator[Issue]:
        """Judge the items directly in one node of the response by those in one node of the questionnaire.

        Args:
            given: the response, an item, or an answer.
            asked: the questionnaire or an item of it.
            place: of `given`.
            around: the nodes of the response that `given` is in, the outermost first, and itself.
        """
        wanted = asked.get("item", ())
        order = {item["linkId"]: number for number, item in enumerate(wanted)}
        found: dict[str, list[tuple[str, Json]]] = {}
        last = -1
        for number, item in enumerate(given.get("item", ())):
            self._visit()
            here, link = f"{place}.item[{number}]", item["linkId"]
            if link not in order:
                yield _wrong(here, self._misplaced(link))
                continue
            if order[link] < last:
                yield _wrong(here, "Expected the items in the order of the questionnaire.")
            last = max(last, order[link])
            found.setdefault(link, []).append((here, item))
        for question in wanted:
            yield from self._question(question, found.get(question["linkId"], []), place, around)

    def _misplaced(self, link: str) -> str:
        if link in self._known:
            return "Expected this item in the place where the questionnaire has its linkId."
        return "Expected a linkId of the questionnaire."

    def _question(
        self, question: Json, found: list[tuple[str, Json]], place: str, around: tuple[Json, ...]
    ) -> Iterator[Issue]:
        self._visit()
        answered = [(here, item) for here, item in found if item.keys() & {"answer", "item"}]
        if not self._enabled(question, around):
            for here, _ in answered:
                yield _wrong(here, "Expected no answer: by its enableWhen this item is not enabled.", "invariant")
            return
        kind = question["type"]
        if kind != "display":
            yield from self._how_often(question, found, place)
        for here, item in found:
            if kind in _WITHOUT_ANSWERS and "answer" in item:
                yield _wrong(here, _WITHOUT_ANSWERS[kind])
            elif kind == "group":
                yield from self.level(item, question, here, (*around, item))
            else:
                yield from self._answers(question, item, here, (*around, item))

    def _how_often(self, question: Json, found: list[tuple[str, Json]], place: str) -> Iterator[Issue]:
        group, repeats = question["type"] == "group", question.get("repeats", False)
        if len(found) > 1 and not (group and repeats):
            yield _wrong(found[1][0], "Expected one item with this linkId here.")
        if group:
            there = sum("item" in item for _, item in found)
        else:
            there = sum(len(item.get("answer", ())) for _, item in found)
            if there > 1 and not repeats:
                yield _wrong(found[0][0], "Expected one answer: the questionnaire does not let this item repeat.")
        low = extension(question, "questionnaire-minOccurs", int) or 0
        high = extension(question, "questionnaire-maxOccurs", int)
        low = max(low, 1) if question.get("required") else low if there else 0
        if self._whole and there < low:
            where = found[0][0] if found else place
            text = f"Expected at least {low} of the required item whose linkId is {question['linkId']}."
            yield _wrong(where, text, "required")
        if high is not None and there > high:
            yield _wrong(found[0][0], f"Expected at most {high} of this item.")

    def _answers(self, question: Json, item: Json, place: str, around: tuple[Json, ...]) -> Iterator[Issue]:
        given: Sequence[Json] = item.get("answer", ())
        for number, answer in enumerate(given):
            self._visit()
            here = f"{place}.answer[{number}]"
            yield from answers.judge(question, answer, here, self._find)
            yield from self.level(answer, question, here, (*around, answer))
        if len(given) > 1:
            yield from answers.exclusive(question, given, place)

    # ---- enableWhen ----

    def _enabled(self, question: Json, around: tuple[Json, ...]) -> bool:
        conditions = question.get("enableWhen", ())
        if not conditions:
            return True
        verdicts = (self._holds(condition, around) for condition in conditions)
        return any(verdicts) if question.get("enableBehavior") == "any" else all(verdicts)

    def _holds(self, condition: Json, around: tuple[Json, ...]) -> bool:
        return answers.enables(condition, self._nearest(condition["question"], around))

    def _nearest(self, link: str, around: tuple[Json, ...]) -> list[Json]:
        """The answers to a question, those closest by: within the same repetition of a group, or in one around it."""
        for node in reversed(around):
            if node.get("linkId") == link:
                return list(node.get("answer", ()))
            found = [
                answer for item in self._below(node) if item["linkId"] == link for answer in item.get("answer", ())
            ]
            if found:
                return found
        return []

    def _below(self, node: Json) -> Iterator[Json]:
        waiting = [node]
        while waiting:
            one = waiting.pop()
            for item in one.get("item", ()):
                self._visit()
                yield item
                waiting += [item, *item.get("answer", ())]


def _all_items(node: Json) -> Iterator[Json]:
    for item in node.get("item", ()):
        yield item
        yield from _all_items(item)


def _wrong(place: str, text: str, code: str = "structure") -> Issue:
    return Issue(code, text, (place,))
