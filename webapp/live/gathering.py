"""Questions of many that are answered together: while one answer is looked up, what is asked
gathers for the next. So the more ask, the more share a look, and no answer is older than its
question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Gathering(Generic[Question, Answer]):
    """Asks `look_up` for all questions that wait at once; belongs to one event loop."""

    def __init__(
        self, look_up: Callable[[Iterable[Question]], Awaitable[dict[Question, Answer]]]
    ) -> None:
        self._look_up = look_up
        self._waiting: dict[Question, asyncio.Future[Answer]] = {}
        self._looking: asyncio.Task | None = None

    async def ask(self, question: Question) -> Answer:
        """The answer, looked up after this call. Raises what the look-up raises."""
        if question not in self._waiting:
            self._waiting[question] = asyncio.get_running_loop().create_future()
        answer = self._waiting[question]
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        # Whoever leaves must not take the answer away from the others.
        return await asyncio.shield(answer)

    async def _look(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await self._look_up(asked)
            except Exception as error:
                for answer in asked.values():
                    answer.set_exception(error)
            else:
                for question, answer in asked.items():
                    answer.set_result(found[question])


class OfEachLoop(Generic[Question, Answer]):
    """One `Gathering` for each event loop."""

    def __init__(
        self, look_up: Callable[[Iterable[Question]], Awaitable[dict[Question, Answer]]]
    ) -> None:
        self._look_up = look_up
        self._gatherings: WeakKeyDictionary[
            asyncio.AbstractEventLoop, Gathering[Question, Answer]
        ] = WeakKeyDictionary()

    async def ask(self, question: Question) -> Answer:
        loop = asyncio.get_running_loop()
        if loop not in self._gatherings:
            self._gatherings[loop] = Gathering(self._look_up)
        return await self._gatherings[loop].ask(question)
