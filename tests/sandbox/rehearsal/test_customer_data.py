"""Customer profiles and cases: found, created, changed, and what of them a flow can read afterwards."""

from typing import Any

import pytest
from connect_sandbox.rehearsal import CannotPlayError, Conditions

from tests.support.rehearsal import block, hang_up, say

PHONE = "+12065550142"
ADA = {
    "ProfileId": "p-ada",
    "FirstName": "Ada",
    "LastName": "Byron",
    "PhoneNumber": PHONE,
    "EmailAddress": "ada@example.com",
    "Attributes": {"Tier": "gold"},
    "CalculatedAttributes": {"_frequent_caller": "true"},
    "Keys": {"_store": "7"},
    "Objects": {"Asset": [{"AssetId": "a-1", "Status": "sold"}, {"AssetId": "a-2", "Status": "leased"}]},
}
BOB = {"ProfileId": "p-bob", "FirstName": "Bob", "BusinessPhoneNumber": PHONE, "AccountNumber": "77"}
GET_ERRORS = {"MultipleFoundError": "many", "NoneFoundError": "none", "NoMatchingError": "wrong"}
SORRY = [say("many", "Many.", "bye"), say("none", "None.", "bye"), say("wrong", "Wrong.", "bye"), hang_up()]


def profile_block(kind: str, then: str, fields: list[str] | None = None, **request: Any) -> dict[str, Any]:
    errors = {"GetCustomerProfile": GET_ERRORS}.get(
        kind, {"NoneFoundError": "none", "NoMatchingError": "wrong"}
    )
    more: dict[str, Any] = {} if fields is None else {"ProfileResponseData": fields}
    return block("b", kind, then, errors=errors, ProfileRequestData=request, **more)


def known(*profiles: dict[str, Any]) -> Conditions:
    return Conditions(customer_profiles=profiles)


@pytest.mark.parametrize(
    ("request_data", "heard"),
    [
        ({"PhoneNumber": "$.CustomerEndpoint.Address"}, "Ada"),
        ({"IdentifierName": "_email", "IdentifierValue": "ada@example.com"}, "Ada"),
        ({"IdentifierName": "_fullName", "IdentiferValue": "Ada Byron"}, "Ada"),
        ({"IdentifierName": "_store", "IdentifierValue": "7"}, "Ada"),
        ({"IdentifierName": "_profileId", "IdentifierValue": "p-bob"}, "Bob"),
        ({"IdentifierName": "_phone", "IdentifierValue": PHONE}, "Many."),
        (
            {
                "SearchCriteria": [
                    {"IdentifierName": "_phone", "IdentifierValue": PHONE},
                    {"IdentifierName": "_account", "IdentifierValue": "77"},
                ],
                "LogicalOperator": "AND",
            },
            "Bob",
        ),
        (
            {
                "SearchCriteria": [
                    {"IdentifierName": "_email", "IdentifierValue": "ada@example.com"},
                    {"IdentifierName": "_account", "IdentifierValue": "77"},
                ],
                "LogicalOperator": "OR",
            },
            "Many.",
        ),
        ({"IdentifierName": "_email", "IdentifierValue": "eve@example.com"}, "None."),
        ({"IdentifierName": "_email", "IdentifierValue": "$.Attributes.email"}, "Wrong."),
        ({"IdentifierName": "_email", "IdentifierValue": "x" * 256}, "Wrong."),
        ({}, "Wrong."),
    ],
)
def test_a_profile_is_found_by_its_keys(world: Any, request_data: dict[str, Any], heard: str) -> None:
    find = profile_block("GetCustomerProfile", "greet", ["FirstName"], **request_data)
    flow = [find, say("greet", "Hello $.Customer.FirstName.", "bye"), *SORRY]
    contact = world.plays(*flow, conditions=known(ADA, BOB))
    assert heard in str(contact.transcript)


def test_response_fields_are_all_that_a_flow_can_read(world: Any) -> None:
    fields = ["FirstName", "Attributes.Tier", "Attributes.None", "City"]
    find = profile_block("GetCustomerProfile", "tell", fields, IdentifierName="_store", IdentifierValue="7")
    told = "$.Customer.FirstName [$.Customer.LastName] $.Customer.Attributes.Tier $.Customer.ProfileId"
    contact = world.plays(find, say("tell", told, "bye"), *SORRY, conditions=known(ADA)).hears(
        "Ada [] gold p-ada"
    )
    assert contact.state.customer["ProfileARN"].endswith("/profiles/p-ada")


def test_a_setup_that_says_nothing_of_profiles_stops_with_what_to_give(world: Any) -> None:
    find = profile_block("GetCustomerProfile", "bye", ["FirstName", "Attributes.Tier"],
                         IdentifierName="_phone", IdentifierValue="$.CustomerEndpoint.Address")  # fmt: skip
    with pytest.raises(
        CannotPlayError, match=r"profile with _phone '\+1206.*setup\.customer_profiles"
    ) as caught:
        world.plays(find, *SORRY)
    stop = caught.value
    assert (stop.kind, stop.missing) == ("setup", ("customer_profiles",))
    contact = world.plays(find, *SORRY, conditions=Conditions(customer_profiles=tuple(stop.example)))
    assert contact.state.customer["FirstName"] == "FirstName"
    assert contact.state.customer["Attributes"] == {"Tier": "1"}


def test_a_profile_is_created_changed_and_found_again(world: Any) -> None:
    create = {**profile_block("CreateCustomerProfile", "update", None, FirstName="Eve", PhoneNumber=PHONE),
              "Identifier": "create"}  # fmt: skip
    update = {**profile_block("UpdateCustomerProfile", "link", ["Attributes.Language"],
                              **{"Attributes.Language": "de"}), "Identifier": "update"}  # fmt: skip
    link = {**profile_block("AssociateContactToCustomerProfile", "find", ProfileId="$.Customer.ProfileId",
                            ContactId="$.ContactId"), "Identifier": "link"}  # fmt: skip
    find = profile_block("GetCustomerProfile", "tell", ["FirstName"], IdentifierName="_ctrContactId",
                         IdentifierValue="$.ContactId")  # fmt: skip
    told = say("tell", "$.Customer.FirstName speaks $.Customer.Attributes.Language.", "bye")
    world.plays({**create}, update, link, {**find, "Identifier": "find"}, told, *SORRY).hears(
        "Eve speaks de."
    )


def test_changing_a_profile_without_having_one_is_an_error(world: Any) -> None:
    update = profile_block("UpdateCustomerProfile", "bye", None, FirstName="Eve")
    contact = world.plays(update, *SORRY).hears("Wrong.")
    assert "no profile was found before" in str(contact.transcript)


@pytest.mark.parametrize(
    ("request_data", "heard"),
    [
        ({"ObjectType": "Asset", "UseLatest": "true"}, "leased a-2"),
        ({"ObjectType": "_asset", "IdentifierName": "_assetId", "IdentifierValue": "a-1"}, "sold a-1"),
        ({"ObjectType": "Asset", "IdentifierName": "AssetId", "IdentifierValue": "a-9"}, "None."),
        ({"ObjectType": "Order", "UseLatest": "true"}, "None."),
        ({"ObjectType": "Asset"}, "Wrong."),
    ],
)
def test_an_object_of_a_profile_is_read(world: Any, request_data: dict[str, Any], heard: str) -> None:
    read = profile_block(
        "GetCustomerProfileObject", "tell", ["AssetStatus"], ProfileId="p-ada", **request_data
    )
    told = say("tell", "$.Customer.Asset.Status $.Customer.Asset.AssetId", "bye")
    world.plays(read, told, *SORRY, conditions=known(ADA)).hears(heard)


@pytest.mark.parametrize(
    ("profile", "field", "heard"),
    [
        ("p-ada", "_frequent_caller", "[true]"),
        ("p-ada", "x", "None."),
        ("p-eve", "_frequent_caller", "Wrong."),
    ],
)
def test_calculated_attributes_are_read(world: Any, profile: str, field: str, heard: str) -> None:
    read = profile_block("GetCalculatedAttributesForCustomerProfile", "tell", [f"CalculatedAttributes.{field}"],
                         ProfileId=profile)  # fmt: skip
    told = say("tell", "[$.Customer.CalculatedAttributes._frequent_caller]", "bye")
    world.plays(read, told, *SORRY, conditions=known(ADA)).hears(heard)


def test_a_flow_keeps_14000_characters_of_a_profile(world: Any) -> None:
    long = {"ProfileId": "p", **{f"Attribute{n}": "x" * 255 for n in range(60)}}
    find = profile_block("GetCustomerProfile", "bye", [f"Attribute{n}" for n in range(60)],
                         IdentifierName="_profileId", IdentifierValue="p")  # fmt: skip
    contact = world.plays(find, *SORRY, conditions=known(long)).hears("Wrong.")
    assert "Amazon Connect keeps 14,000" in str(contact.transcript)


# --- cases

CASES = (
    {"case_id": "c-1", "customer_id": "arn:aws:profile:x/profiles/p-ada", "status": "open", "title": "Leak"},
    {"case_id": "c-2", "customer_id": "p-ada", "status": "closed", "title": "Noise"},
    {"case_id": "c-3", "customer_id": "p-bob", "status": "open", "title": "Smell"},
)
CASE_ERRORS = {
    "ContactNotLinked": "wrong",
    "NoneFound": "none",
    "MultipleFound": "many",
    "NoMatchingError": "wrong",
}


def get_case(latest: str = "false", **parameters: Any) -> dict[str, Any]:
    return block("b", "GetCase", "tell", errors=CASE_ERRORS, LinkContactToCase="true", GetLastUpdatedCase=latest,
                 CaseResponseFields=["title"], **parameters)  # fmt: skip


@pytest.mark.parametrize(
    ("find", "heard"),
    [
        (get_case(CustomerId="p-bob"), "c-3 Smell"),
        (get_case(CustomerId="p-ada"), "Many."),
        (get_case("true", CustomerId="p-ada"), "c-2 Noise"),
        (get_case(CustomerId="p-ada", CaseRequestFields={"status": "open"}), "c-1 Leak"),
        (get_case(CaseRequestFields={"status": "lost"}), "None."),
        (get_case(CustomerId="$.Customer.ProfileId"), "Wrong."),
        (get_case(), "Wrong."),
    ],
)
def test_a_case_is_found_by_customer_and_fields(world: Any, find: dict[str, Any], heard: str) -> None:
    told = say("tell", "$.Case.case_id $.Case.title", "bye")
    world.plays(find, told, *SORRY, conditions=Conditions(cases=CASES)).hears(heard)


def test_a_search_whose_reference_is_missing_names_it(world: Any) -> None:
    contact = world.plays(get_case(CustomerId="$.Customer.ProfileId"), say("tell", "x", "bye"), *SORRY)
    assert "customer_id is empty, since $.Customer.ProfileId is missing" in str(contact.transcript)


def test_console_exports_call_the_branches_of_get_case_otherwise(world: Any) -> None:
    errors = {"NoneFoundError": "none", "MultipleFoundError": "many", "NoMatchingError": "wrong"}
    find = block("b", "GetCase", "bye", errors=errors, LinkContactToCase="false", GetLastUpdatedCase="false",
                 CustomerId="p-eve")  # fmt: skip
    world.plays(find, *SORRY, conditions=Conditions(cases=CASES)).hears("None.")


def test_a_case_is_created_and_updated(world: Any) -> None:
    create = block("create", "CreateCase", "update", errors={"ContactNotLinked": "wrong", "NoMatchingError": "wrong"},
                   LinkContactToCase="true", CaseTemplateId="t", CaseRequestFields={"title": "Call"})  # fmt: skip
    update = block("update", "UpdateCase", "b", errors={"NoMatchingError": "wrong"}, LinkContactToCase="False",
                   CaseId="$.Case.case_id", CaseRequestFields={"status": "closed"})  # fmt: skip
    find = get_case(CaseRequestFields={"status": "closed"})
    contact = world.plays(create, update, find, say("tell", "$.Case.title", "bye"), *SORRY)
    contact.hears("Call")
    assert "creates the case" in str(contact.transcript)
    assert "links the contact to it" in str(contact.transcript)


def test_a_setup_that_says_nothing_of_cases_stops_with_what_to_give(world: Any) -> None:
    with pytest.raises(CannotPlayError, match=r"case with customer_id 'p-ada': give setup\.cases") as caught:
        world.plays(get_case(CustomerId="p-ada"), say("tell", "$.Case.title", "bye"), *SORRY)
    assert caught.value.missing == ("cases",)
    conditions = Conditions(cases=tuple(caught.value.example))
    world.plays(
        get_case(CustomerId="p-ada"), say("tell", "$.Case.title", "bye"), *SORRY, conditions=conditions
    ).hears("title")
    missing = block("b", "UpdateCase", "bye", errors={"NoMatchingError": "wrong"}, LinkContactToCase="False",
                    CaseId="c-9", CaseRequestFields={"status": "closed"})  # fmt: skip
    with pytest.raises(CannotPlayError, match=r"asks for the case 'c-9'"):
        world.plays(missing, *SORRY)
    world.plays(missing, *SORRY, conditions=Conditions(cases=CASES)).hears("Wrong.")
