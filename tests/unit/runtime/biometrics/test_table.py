"""The table: what is written comes back, and of several writers exactly one wins."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from runtime.biometrics import machine
from runtime.biometrics.caller import (
    Caller,
    Consent,
    Outcome,
    Purpose,
    Result,
    Session,
    Stage,
)
from runtime.biometrics.machine import Phase, Question
from runtime.biometrics.policy import Policy
from runtime.biometrics.table import (
    CallersSettings,
    DynamoDbCallers,
    caller_of,
    condition_on,
    item_of,
)
from runtime.shared.errors import TemporarilyUnavailableError

NUMBER = "+12065550100"
TEXT, NUMBERS = st.text(max_size=20), st.integers(0, 2**40)
CALLERS = st.builds(
    Caller,
    user_id=TEXT,
    consent=st.none() | st.sampled_from(Consent),
    enrolments=st.integers(0, 10),
    failures=NUMBERS,
    discarded=st.lists(TEXT, max_size=3).map(tuple),
    refusals=st.lists(NUMBERS, max_size=3).map(tuple),
    locked_until=NUMBERS,
    late_proofs=NUMBERS,
    session=st.none()
    | st.builds(
        Session,
        contact_id=TEXT,
        purpose=st.sampled_from(Purpose),
        stage=st.sampled_from(Stage),
        expires_at=NUMBERS,
        code=TEXT,
        call_sid=TEXT,
        turn=NUMBERS,
        tries=NUMBERS,
        refused=NUMBERS,
        guesses=NUMBERS,
    ),
    outcome=st.none()
    | st.builds(
        Outcome,
        result=st.sampled_from(Result),
        contact_id=TEXT,
        at=NUMBERS,
        expires_at=NUMBERS,
        confidence=TEXT,
    ),
    recordings=st.lists(TEXT, max_size=3).map(tuple),
    erasing=st.booleans(),
    calls=st.lists(TEXT, max_size=3).map(tuple),
    inventoried=st.booleans(),
    retain_until=NUMBERS,
)


@given(CALLERS)
def test_what_is_written_comes_back(caller: Caller) -> None:
    assert caller_of(item_of(caller)) == caller


@pytest.fixture
def table(callers: Any) -> DynamoDbCallers:
    return DynamoDbCallers(callers, CallersSettings("ConnectTwilio", "phoneNumber"))


def test_a_write_is_let_through_only_on_what_it_was_decided_on(table: DynamoDbCallers) -> None:
    assert table.read(NUMBER).revision == ""
    assert table.write(NUMBER, "", Caller(user_id="first"), "r1")
    assert not table.write(NUMBER, "", Caller(user_id="second"), "r2")
    assert not table.write(NUMBER, "r0", Caller(user_id="second"), "r2")
    assert table.read(NUMBER).caller.user_id == "first"
    assert table.write(NUMBER, "r1", Caller(user_id="second"), "r2")
    assert not table.delete(NUMBER, "r1")
    assert table.delete(NUMBER, "r2")
    assert table.read(NUMBER).caller == Caller()


def test_the_condition_is_the_revision_or_that_there_is_no_item() -> None:
    assert condition_on("", "phoneNumber") == {
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": "phoneNumber"},
    }
    assert condition_on("r1", "phoneNumber") == {
        "ConditionExpression": "#revision = :expected",
        "ExpressionAttributeNames": {"#revision": "revision"},
        "ExpressionAttributeValues": {":expected": {"S": "r1"}},
    }


def test_a_write_that_the_sdk_repeated_is_known_as_our_own(table: DynamoDbCallers, callers: Any) -> None:
    assert table.write(NUMBER, "", Caller(), "r1")
    put, lost = callers.put_item, []

    class Twice:
        exceptions = callers.exceptions

        def put_item(self, **arguments: Any) -> Any:
            lost.append(put(**arguments))
            return put(**arguments)

    repeated = DynamoDbCallers(Twice(), CallersSettings("ConnectTwilio", "phoneNumber"))
    assert repeated.write(NUMBER, "r1", Caller(user_id="u"), "r2")
    assert lost


def test_of_fifty_askers_at_once_exactly_one_gets_the_proof(callers: Any) -> None:
    proof = Outcome(result=Result.PASSED, contact_id="mine", at=100, expires_at=160, confidence="90.00")
    gate, barrier = threading.Lock(), threading.Barrier(50)

    class OneAtATime:
        """DynamoDB checks condition and writes in one step; moto does not across threads."""

        exceptions = callers.exceptions

        def get_item(self, **arguments: Any) -> Any:
            with gate:
                return callers.get_item(**arguments)

        def put_item(self, **arguments: Any) -> Any:
            with gate:
                return callers.put_item(**arguments)

    table = DynamoDbCallers(OneAtATime(), CallersSettings("ConnectTwilio", "phoneNumber"))
    table.write(NUMBER, "", Caller(user_id="u", enrolments=3, outcome=proof), "r1")
    first_reads = Counter[int]()
    read = table.read

    def read_together(number: str) -> Any:
        stored = read(number)
        me = threading.get_ident()
        first_reads[me] += 1
        if first_reads[me] == 1:
            barrier.wait(20)  # all fifty have read the proof before anybody writes
        return stored

    table.read = read_together  # type: ignore[method-assign]
    question = Question(contact_id="mine", phase=Phase.RETURN, new_code="1", now=101)
    with ThreadPoolExecutor(50) as pool:
        answers = list(
            pool.map(
                lambda _: table.change(NUMBER, lambda one: machine.ask(one, question, Policy())).branch.value,
                range(50),
            )
        )
    assert Counter(answers) == {"verified": 1, "unavailable": 49}


def test_a_table_that_throttles_is_temporarily_unavailable(table: DynamoDbCallers) -> None:
    class Busy:
        def get_item(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem")

    busy = DynamoDbCallers(Busy(), CallersSettings("ConnectTwilio", "phoneNumber"))
    with pytest.raises(TemporarilyUnavailableError, match="ThrottlingException"):
        busy.read(NUMBER)


def test_a_writer_that_always_comes_too_late_gives_up(table: DynamoDbCallers) -> None:
    table.write = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(TemporarilyUnavailableError, match="6 writes in a row"):
        table.change(NUMBER, machine.begin_erasure)


def test_the_sweep_finds_who_is_due_over_several_pages(table: DynamoDbCallers, callers: Any) -> None:
    padding = tuple("x" * 1000 for _ in range(300))
    for n, caller in enumerate(
        [
            Caller(retain_until=100),
            Caller(retain_until=101),
            Caller(retain_until=101, erasing=True),
            *(Caller(retain_until=101, recordings=padding) for _ in range(4)),
        ]
    ):
        assert table.write(f"+1206555010{n}", "", caller, f"r{n}")
    found = set(table.overdue(100))
    assert found == {"+12065550100", *(f"+1206555010{n}" for n in range(2, 7))}
    assert boto3.client("dynamodb").scan(TableName="ConnectTwilio").get("LastEvaluatedKey")
