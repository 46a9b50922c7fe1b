"""Scenario files that set profiles and cases up and say what must have become of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.rehearsal.scenario import ScenarioFile

from tests.support.rehearsal import block, hang_up

ERROR = {"NoMatchingError": "bye"}
FLOW = [
    block("find", "GetCustomerProfile", "set", errors={**ERROR, "NoneFoundError": "bye", "MultipleFoundError": "bye"},
          ProfileRequestData={"IdentifierName": "_phone", "IdentifierValue": "$.CustomerEndpoint.Address"},
          ProfileResponseData=["FirstName"]),
    block("set", "UpdateCustomerProfile", "open", errors=ERROR, ProfileRequestData={"Attributes.Called": "yes"}),
    block("open", "CreateCase", "tell", errors={**ERROR, "ContactNotLinked": "bye"}, LinkContactToCase="true",
          CaseTemplateId="t", CaseRequestFields={"title": "Call of $.Customer.FirstName"}),
    block("tell", "UpdateContactAttributes", "bye", errors=ERROR, Attributes={"case": "$.Case.case_id"},
          TargetContact="Related"),
    hang_up(),
]  # fmt: skip
SCENARIO = """
setup:
  customer_profiles:
    - PhoneNumber: "+12065550142"
      FirstName: Ada
      Objects: {Asset: [{AssetId: a}]}
  cases: []
  related_contact: {kept: "1"}
scenarios:
  - name: as it must be
    expect:
      customer_profiles: [{FirstName: Ada, Attributes.Called: "yes"}]
      cases: {title: Call of Ada}
      related_attributes: {kept: "1"}
  - name: PROBLEM
    expect: {WRONG}
"""


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            "customer_profiles: [{FirstName: Bob}]",
            r"should be a customer profile with \{'FirstName': 'Bob'\}.*'Ada'",
        ),
        ("cases: [{title: Other}]", r"should be a case with \{'title': 'Other'\}; there are .*Call of Ada"),
        (
            "related_attributes: {case: none}",
            r"attribute case of the related contact should be 'none'; it is '",
        ),
    ],
)
def test_what_became_of_profiles_and_cases_is_compared(tmp_path: Path, wrong: str, told: str) -> None:
    flow = {"Version": "2019-10-30", "StartAction": "find", "Actions": FLOW}
    (tmp_path / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
    path = tmp_path / "flow.yaml"
    path.write_text(SCENARIO.replace("WRONG", wrong), encoding="utf-8")
    file = ScenarioFile.load(path)
    right, problem = file.scenarios
    right.check(right.contact(file.flow(right, tmp_path / "flow.json")))
    with pytest.raises(AssertionError, match=told):
        problem.check(problem.contact(file.flow(problem, tmp_path / "flow.json")))


@pytest.mark.parametrize(
    ("setup", "told"),
    [
        ("customer_profiles: Ada", "customer_profiles[0] is 'Ada': it must be an object"),
        ("customer_profiles: [{FirstName: 1}]", "customer_profiles[0].FirstName is 1: it must be text"),
        ("customer_profiles: [{Objects: {Asset: [x]}}]", "Objects.Asset[0] is 'x'"),
        ("cases: [{status: yes}]", "cases[0].status is True: it must be text"),
        ("authentication: maybe", "write one of signs in, opts out, does not answer"),
        ("flow_type: QUEUE", "write one of CONTACT_FLOW, CUSTOMER_QUEUE"),
        ("initiation_method: CALL", "write one of INBOUND, OUTBOUND"),
        ("queue: sales", "it is none of setup.queues"),
        ("agent: {user_name: 1}", "agent.user_name is 1: it must be text"),
    ],
)
def test_a_malformed_setup_names_value_and_fix(tmp_path: Path, setup: str, told: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"setup: {{{setup}}}\nexpect: {{ends: disconnected}}\n", encoding="utf-8")
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is compared below)
        ScenarioFile.load(path)
    message: Any = str(caught.value)
    assert told in message
    assert "Fix:" in message
