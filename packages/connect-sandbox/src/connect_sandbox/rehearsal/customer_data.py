"""Customer profiles and cases, as the flow blocks of one contact search and change them.

Sources: administrator guide, "Flow block: Customer profiles" and "Flow block: Cases"; flow language,
"GetCustomerProfile", "GetCustomerProfileObject", "GetCase"; Customer Profiles API, SearchProfiles (the search keys).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

Profile = dict[str, Any]
"""A customer profile: its fields by their names in Customer Profiles, with Attributes, CalculatedAttributes and Keys
(objects of texts), and Objects (lists by object type, the latest last)."""
Case = dict[str, str]
"""A case: its fields by field id, e.g. case_id, title, status, customer_id."""

PARTS = ("Attributes", "CalculatedAttributes", "Keys", "Objects")
"""The parts of a profile that are no fields."""
_PREDEFINED_KEYS = {
    "_account": ("AccountNumber",),
    "_email": ("EmailAddress", "PersonalEmailAddress", "BusinessEmailAddress"),
    "_phone": ("PhoneNumber", "MobilePhoneNumber", "HomePhoneNumber", "BusinessPhoneNumber"),
    "_profileId": ("ProfileId",),
}


class CustomerProfiles:
    """The profiles of the instance's domain while one contact lasts. `known` None: the scenario does not say."""

    def __init__(self, known: Iterable[Mapping[str, Any]] | None = None) -> None:
        self.said = known is not None
        self._profiles = [copy.deepcopy(dict(profile)) for profile in known or ()]
        for profile in self._profiles:
            profile.setdefault("ProfileId", str(uuid4()))

    def __repr__(self) -> str:
        return f"CustomerProfiles({self._profiles!r})"

    def search(self, criteria: Iterable[tuple[str, str]], *, together: bool) -> list[Profile]:
        """Return the profiles that match all criteria (`together`) or any of them; each is a search key and a value."""
        wanted = list(criteria)
        matches: Callable[[Iterable[bool]], bool] = all if together else any
        return [p for p in self._profiles if matches(value in _key(p, name) for name, value in wanted)]

    def get(self, profile_id: str) -> Profile | None:
        """Return the profile of that id."""
        return next((p for p in self._profiles if p["ProfileId"] == profile_id), None)

    def create(self, fields: Mapping[str, str]) -> Profile:
        """Add a profile and return it."""
        profile: Profile = {"ProfileId": str(uuid4())}
        self._profiles.append(profile)
        self.change(profile, fields)
        return profile

    def change(self, profile: Profile, fields: Mapping[str, str]) -> None:
        """Set fields of a profile; "Attributes.x" is an attribute of its own."""
        for name, value in fields.items():
            if name.startswith("Attributes."):
                profile.setdefault("Attributes", {})[name.removeprefix("Attributes.")] = value
            elif name != "ProfileId":
                profile[name] = value


class Cases:
    """The cases of the instance's domain while one contact lasts. `known` None: the scenario does not say."""

    def __init__(self, known: Iterable[Mapping[str, str]] | None = None) -> None:
        self.said = known is not None
        self._cases: list[Case] = [{"case_id": str(uuid4()), **case} for case in known or ()]

    def __repr__(self) -> str:
        return f"Cases({self._cases!r})"

    def search(self, fields: Mapping[str, str]) -> list[Case]:
        """Return the cases whose fields have these values, the one updated last at the end.

        A customer is the same by profile id and by the profile's ARN.
        """
        return [
            case
            for case in self._cases
            if all(_told(name, case.get(name)) == _told(name, value) for name, value in fields.items())
        ]

    def create(self, fields: Mapping[str, str]) -> Case:
        """Add a case and return it."""
        case: Case = {**fields, "case_id": str(uuid4())}
        self._cases.append(case)
        return case

    def change(self, case: Case, fields: Mapping[str, str]) -> None:
        """Set fields of a case, which becomes the one updated last."""
        case.update({name: value for name, value in fields.items() if name != "case_id"})
        self._cases.remove(case)
        self._cases.append(case)


def _key(profile: Profile, name: str) -> tuple[str, ...]:
    """Return the values that a search key has for a profile."""
    if name == "_fullName":
        return (f"{profile.get('FirstName', '')} {profile.get('LastName', '')}".strip(),)
    fields = _PREDEFINED_KEYS.get(name, (name,))
    own = profile.get("Keys", {}).get(name)
    attribute = profile.get("Attributes", {}).get(name.removeprefix("Attributes."))
    found = [profile.get(field) for field in fields] + [own, attribute]
    return tuple(value for value in found if isinstance(value, str))


def _told(name: str, value: str | None) -> str | None:
    return value.rsplit("/", 1)[-1] if name == "customer_id" and value is not None else value
