"""Blocks that read and change customer profiles, which the scenario sets up.

Sources: flow language, "GetCustomerProfile" and its neighbours; administrator guide, "Flow block: Customer profiles".
"""

from collections.abc import Iterator, Mapping

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.customer_data import Profile
from connect_sandbox.rehearsal.stage import Stage, require_map
from connect_sandbox.rehearsal.steps import Fails, Next, Step
from connect_sandbox.rehearsal.values import Json

BLOCKS = Registry()

MAXIMUM_IDENTIFIERS = 5
LONGEST_VALUE = 255
"""Characters of a request's value (administrator guide)."""
RESPONSE_LIMIT = 14_000
"""Characters of all values that a flow keeps in $.Customer (administrator guide)."""
_OBJECTS = ("Asset", "Order", "Case")
"""The standard object types, whose response fields begin with their name."""


class _RefusedError(Exception):
    """Customer Profiles refuses the request; the block takes its Error branch."""


@BLOCKS.plays("GetCustomerProfile", "ProfileRequestData", "ProfileResponseData")
def get_customer_profile(stage: Stage) -> Step:
    """Search one profile by up to five identifiers and keep its response fields in $.Customer."""
    try:
        criteria, together = _criteria(stage)
    except _RefusedError as refused:
        return Fails("NoMatchingError", str(refused))
    told = (" and " if together else " or ").join(f"{name} {value!r}" for name, value in criteria)
    profiles = stage.state.customer_profiles
    found = profiles.search(criteria, together=together)
    if not found and not profiles.said:
        raise stage.needs(
            f"it asks for the customer profile with {told}: "
            "give setup.customer_profiles, a list of profiles ([] if nobody is known)",
            "customer_profiles",
            example=[{**_plausible(stage), **{_field(name): value for name, value in criteria}}],
        )
    if not found:
        return Fails("NoneFoundError", f"there is no customer profile with {told}")
    if len(found) > 1:
        return Fails("MultipleFoundError", f"{len(found)} customer profiles have {told}")
    return _keeps(stage, f"finds the customer profile {found[0]['ProfileId']} by {told}", found[0])


@BLOCKS.plays("CreateCustomerProfile", "ProfileRequestData", "ProfileResponseData")
def create_customer_profile(stage: Stage) -> Step:
    """Create a profile with the request's fields."""
    try:
        fields = _request(stage)
    except _RefusedError as refused:
        return Fails("NoMatchingError", str(refused))
    profile = stage.state.customer_profiles.create(fields)
    return _keeps(stage, f"creates the customer profile {profile['ProfileId']}", profile)


@BLOCKS.plays("UpdateCustomerProfile", "ProfileRequestData", "ProfileResponseData")
def update_customer_profile(stage: Stage) -> Step:
    """Change fields of the profile that ProfileId names, or of the one that was found before."""
    try:
        fields = _request(stage)
        profile = _profile(stage, fields.get("ProfileId") or str(stage.state.customer.get("ProfileId") or ""))
    except _RefusedError as refused:
        return Fails("NoMatchingError", str(refused))
    stage.state.customer_profiles.change(profile, fields)
    return _keeps(stage, f"updates the customer profile {profile['ProfileId']}", profile)


@BLOCKS.plays("GetCustomerProfileObject", "ProfileRequestData", "ProfileResponseData")
def get_customer_profile_object(stage: Stage) -> Step:
    """Keep fields of a profile's object: of the latest one, or of the one that an identifier finds."""
    try:
        request = _request(stage)
        profile = _profile(stage, request.get("ProfileId", ""))
    except _RefusedError as refused:
        return Fails("NoMatchingError", str(refused))
    kind = request.get("ObjectType", "")
    found: list[Mapping[str, str]] = list(profile.get("Objects", {}).get(_short(kind), ()))
    if request.get("UseLatest", "").lower() != "true":
        name, value = request.get("IdentifierName", ""), request.get("IdentifierValue", "")
        if not name:
            return Fails("NoMatchingError", "it has neither UseLatest nor IdentifierName")
        name = name.removeprefix("_")
        name = name[:1].upper() + name[1:]
        found = [item for item in found if item.get(name) == value]
    if not found:
        return Fails("NoneFoundError", f"the profile {profile['ProfileId']} has no such {kind or 'object'}")
    return _keeps(stage, f"finds an object {kind} of the profile", profile, {_short(kind): found[-1]})


@BLOCKS.plays("GetCalculatedAttributesForCustomerProfile", "ProfileRequestData", "ProfileResponseData")
def get_calculated_attributes(stage: Stage) -> Step:
    """Keep calculated attributes of a profile in $.Customer.CalculatedAttributes."""
    try:
        profile = _profile(stage, _request(stage).get("ProfileId", ""))
    except _RefusedError as refused:
        return Fails("NoMatchingError", str(refused))
    asked = [field.removeprefix("CalculatedAttributes.") for field in _response_fields(stage)]
    known = profile.get("CalculatedAttributes", {})
    if asked and not any(name in known for name in asked):
        return Fails("NoneFoundError", f"the profile {profile['ProfileId']} has none of {', '.join(asked)}")
    return _keeps(stage, f"reads calculated attributes of the profile {profile['ProfileId']}", profile)


@BLOCKS.plays("AssociateContactToCustomerProfile", "ProfileRequestData")
def associate_contact(stage: Stage) -> Step:
    """Associate the contact with a profile."""
    try:
        request = _request(stage)
        profile = _profile(stage, request.get("ProfileId", ""))
    except _RefusedError as refused:
        return Fails("NoMatchingError", str(refused))
    profile.setdefault("Keys", {})["_ctrContactId"] = request.get("ContactId") or stage.state.contact_id
    stage.sets(f"associates the contact with the profile {profile['ProfileId']}", **request)
    return Next()


def _criteria(stage: Stage) -> tuple[list[tuple[str, str]], bool]:
    """Return the search keys with their values, and whether all have to match."""
    written = require_map(stage, "ProfileRequestData")
    many = written.get("SearchCriteria")
    pairs: list[tuple[Json, Json]]
    if isinstance(many, list):
        items = [item for item in many if isinstance(item, Mapping)]
        pairs = [(item.get("IdentifierName"), item.get("IdentifierValue")) for item in items]
    elif "IdentifierName" in written:
        # The flow language's page spells it both ways.
        pairs = [(written["IdentifierName"], written.get("IdentifierValue", written.get("IdentiferValue")))]
    else:  # by the name of a field, as older console exports have it
        pairs = [(name, value) for name, value in written.items() if name != "LogicalOperator"]
    if not 1 <= len(pairs) <= MAXIMUM_IDENTIFIERS:
        raise _RefusedError(
            f"it has {len(pairs)} search identifiers; Amazon Connect takes 1 to {MAXIMUM_IDENTIFIERS}"
        )
    criteria = [
        (_value(stage, "IdentifierName", name), _value(stage, str(name), value)) for name, value in pairs
    ]
    return criteria, str(written.get("LogicalOperator", "AND")) != "OR"


def _request(stage: Stage) -> dict[str, str]:
    """Return ProfileRequestData filled in; nested Attributes by "Attributes.x"."""
    request: dict[str, str] = {}
    for name, value in require_map(stage, "ProfileRequestData").items():
        if isinstance(value, Mapping):
            request |= {f"{name}.{key}": _value(stage, f"{name}.{key}", item) for key, item in value.items()}
        else:
            request[name] = _value(stage, name, value)
    return request


def _value(stage: Stage, name: str, written: Json) -> str:
    value = str(stage.filled(written) if written is not None else "")
    if not value:
        raise _RefusedError(stage.empty(name, written))
    if len(value) > LONGEST_VALUE:
        raise _RefusedError(f"{name} has {len(value):,} characters; Customer Profiles takes {LONGEST_VALUE}")
    return value


def _profile(stage: Stage, profile_id: str) -> Profile:
    if not profile_id:
        raise _RefusedError("it has no ProfileId, and no profile was found before")
    profiles = stage.state.customer_profiles
    profile = profiles.get(profile_id)
    if profile is None and not profiles.said:
        raise stage.needs(
            f"it asks for the customer profile {profile_id!r}: give setup.customer_profiles, a list of profiles",
            "customer_profiles",
            example=[{**_plausible(stage), "ProfileId": profile_id}],
        )
    if profile is None:
        raise _RefusedError(f"there is no customer profile {profile_id!r}")
    return profile


def _keeps(
    stage: Stage, what: str, profile: Profile, objects: Mapping[str, Mapping[str, str]] | None = None
) -> Step:
    """Keep the block's response fields in $.Customer and go on."""
    kept = _response(stage, profile, objects or {})
    customer = _merged(stage.state.customer, kept)
    size = sum(len(text) for text in _texts(customer))
    if size > RESPONSE_LIMIT:
        return Fails(
            "NoMatchingError",
            f"$.Customer would take {size:,} characters; Amazon Connect keeps {RESPONSE_LIMIT:,}",
        )
    stage.state.customer = customer
    stage.note(what, kind="branch", customer=kept)
    return Next()


def _response(stage: Stage, profile: Profile, objects: Mapping[str, Mapping[str, str]]) -> dict[str, Json]:
    kept: dict[str, Json] = {
        "ProfileId": profile["ProfileId"],
        "ProfileARN": _arn(stage.state.instance_arn, profile["ProfileId"]),
    }
    for kind, item in objects.items():
        if f"{kind}Id" in item:
            kept[kind] = {f"{kind}Id": item[f"{kind}Id"]}
    for field in _response_fields(stage):
        part, _, name = field.partition(".")
        if name and part in ("Attributes", "CalculatedAttributes"):
            value = profile.get(part, {}).get(name)
            if value is not None:
                kept = _merged(kept, {part: {name: value}})
            continue
        owner = next((kind for kind in objects if field.startswith(kind)), None)
        if owner is not None:
            rest = field.removeprefix(owner).removeprefix(".")
            nested = objects[owner].get(rest)
            if nested is not None:
                kept = _merged(kept, {owner: {rest: nested}})
        elif isinstance(profile.get(field), str):
            kept[field] = profile[field]
    return kept


def _response_fields(stage: Stage) -> list[str]:
    """Return the names of ProfileResponseData; the flow language's page also writes an object."""
    fields = stage.parameter("ProfileResponseData") or []
    return [str(field) for field in fields]


def _plausible(stage: Stage) -> dict[str, Json]:
    """Return what a profile could hold so that the block's response fields are there."""
    held: dict[str, Json] = {}
    for field in _response_fields(stage):
        part, _, name = field.partition(".")
        if name:
            held = _merged(held, {part: {name: "1"}})
        elif not field.startswith(_OBJECTS):
            held[field] = field
    return held


def _field(key: str) -> str:
    return {"_phone": "PhoneNumber", "_email": "EmailAddress", "_account": "AccountNumber"}.get(
        key, "ProfileId" if key == "_profileId" else key
    )


def _short(kind: str) -> str:
    """Return an object type's short name: _asset and Asset are one."""
    name = kind.removeprefix("_")
    return name[:1].upper() + name[1:] if name.lower() in {k.lower() for k in _OBJECTS} else kind


def _arn(instance_arn: str, profile_id: str) -> str:
    partition, region, account = (instance_arn.split(":")[i] for i in (1, 3, 4))
    return f"arn:{partition}:profile:{region}:{account}:domains/amazon-connect/profiles/{profile_id}"


def _merged(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    both = dict(old)
    for name, value in new.items():
        before = both.get(name)
        both[name] = (
            {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
        )
    return both


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    else:
        yield str(value)
