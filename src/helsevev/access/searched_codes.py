"""What `:in`, `:above` and `:below` ask of the code systems: the loaded ones, then the record's."""

from __future__ import annotations

from helsevev.access.terminology import Terminology
from helsevev.access.terminology_errors import CannotTell, NotKnown
from helsevev.fhir.search_query import SearchError
from helsevev.record.search_codes import Code
from helsevev.record.store import Store
from helsevev.record.value_sets import RecordedCodes


class SearchedCodes:
    """Answers from the terminology, and from lists in the record where that knows nothing."""

    def __init__(self, terminology: Terminology, store: Store) -> None:
        self._terminology = terminology
        self._recorded = RecordedCodes(store)

    async def in_value_set(self, url: str) -> set[Code] | None:
        """Every code of a value set, under each name of its systems; None when it is not known.

        Raises `SearchError` when it cannot be spelt out.
        """
        try:
            sets = await self._terminology.member_codes(url)
        except NotKnown:
            return await self._recorded.in_value_set(url)
        except CannotTell as problem:
            raise SearchError(problem.issues) from problem
        return {
            (system, code)
            for each in sets
            for system in {each.system, *await self._terminology.aliases(each.system)}
            for code in each.codes
        }

    async def below(self, system: str, code: str) -> set[Code] | None:
        """The code and all that it subsumes; None when the system is not known."""
        try:
            codes = await self._terminology.codes_below(system, code)
        except NotKnown:
            return await self._recorded.below(system, code)
        except CannotTell as problem:
            raise SearchError(problem.issues) from problem
        return await self._named(system, codes)

    async def above(self, system: str, code: str) -> set[Code] | None:
        """The code and all that subsume it; None when the system is not known."""
        try:
            codes = await self._terminology.codes_above(system, code)
        except NotKnown:
            return await self._recorded.above(system, code)
        return await self._named(system, codes)

    async def _named(self, system: str, codes: list[str]) -> set[Code]:
        names = {system, *await self._terminology.aliases(system)}
        return {(name, code) for name in names for code in codes}
