from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.shared.contact_flow import contact_flow_event


def test_powertools_properties_read_what_connect_sends() -> None:
    event = contact_flow_event(
        {
            "Name": "ContactFlowEvent",
            "Details": {
                "ContactData": {
                    "ContactId": "c",
                    "CustomerEndpoint": {"Address": "+12065550100", "Type": "TELEPHONE_NUMBER"},
                },
                "Parameters": {"phase": "start"},
            },
        }
    )
    assert event.contact_data.contact_id == "c"
    assert event.contact_data.customer_endpoint is not None
    assert event.contact_data.customer_endpoint.address == "+12065550100"
    assert event.parameters == {"phase": "start"}


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Details": None},
        {"Details": {"ContactData": None, "Parameters": None}},
        {"Details": {"ContactData": {"CustomerEndpoint": "+12065550100"}, "Parameters": []}},
    ],
)
def test_what_is_not_there_is_empty(event: Any) -> None:
    flow = contact_flow_event(event)
    assert flow.contact_data.get("ContactId") is None
    assert flow.contact_data.customer_endpoint is None
    assert flow.parameters == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["Details", "ContactData", "Parameters", "CustomerEndpoint"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(event=JSON)
def test_no_event_breaks_the_reader(event: Any) -> None:
    flow = contact_flow_event(event)
    assert isinstance(flow.parameters, dict)
    assert flow.contact_data.customer_endpoint is None or flow.contact_data.customer_endpoint.raw_event
