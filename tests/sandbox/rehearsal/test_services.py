"""Blocks that reach what stands next to a contact, and parameters by which blocks reach each other."""

from typing import Any

import pytest
from connect_sandbox.rehearsal import CannotPlayError, Conditions, InvocationTimedOutError, Says
from connect_sandbox.rehearsal.conditions import Caller, Queue, Understanding

from tests.support.rehearsal import FUNCTION, INSTANCE, block, hang_up, say

ERROR = {"NoMatchingError": "wrong"}
WRONG = [say("wrong", "Wrong.", "bye"), hang_up()]


@pytest.mark.parametrize(
    ("answer", "heard", "seconds"),
    [("signs in", "Welcome.", 0), ("opts out", "As you like.", 0), ("does not answer", "Too slow.", 300)],
)
def test_a_customer_signs_in_or_not(world: Any, answer: str, heard: str, seconds: int) -> None:
    ask = block("ask", "AuthenticateParticipant", "in", errors={**ERROR, "TimeLimitExceeded": "slow"},
                when=[("Equals", "OptedOut", "out")], TimeLimitMinutes="5")  # fmt: skip
    rest = [
        say("in", "Welcome.", "bye"),
        say("out", "As you like.", "bye"),
        say("slow", "Too slow.", "bye"),
        *WRONG,
    ]
    contact = world.plays(ask, *rest, channel="CHAT", conditions=Conditions(authentication=answer)).hears(
        heard
    )
    assert contact.transcript[-1].at == seconds
    with pytest.raises(CannotPlayError, match=r"setup\.authentication"):
        world.plays(ask, *rest, channel="CHAT")


LOAD = block("load", "LoadContactContent", "look", errors=ERROR, ContentType="EmailMessage")
LOOK = block("look", "Compare", "bye", errors={"NoMatchingCondition": "bye"},
             when=[("TextContains", "Refund", "refund")], ComparisonValue="$.Email.EmailMessage.Plaintext")  # fmt: skip


def test_an_email_is_read(world: Any) -> None:
    flow = [LOAD, LOOK, say("refund", "A refund for $.CustomerEndpoint.Address.", "bye"), *WRONG]
    told = Conditions(email_message="Refund, please!")
    world.plays(*flow, channel="EMAIL", conditions=told).reaches("refund")
    world.plays(*flow, channel="EMAIL", conditions=Conditions(email_message="x" * 33_000)).hears("Wrong.")
    world.plays(*flow, channel="CHAT", conditions=told).hears("Wrong.")
    with pytest.raises(CannotPlayError, match=r"setup\.email_message"):
        world.plays(*flow, channel="EMAIL")


def test_a_task_can_be_resumed_and_a_call_cannot(world: Any) -> None:
    flow = [block("go", "ResumeContact", "bye", errors=ERROR), *WRONG]
    assert "resumes the task" in str(world.plays(*flow, channel="TASK").transcript)
    world.plays(*flow).hears("Wrong.")


def test_a_text_message_is_sent(world: Any) -> None:
    replies = world.publishes("replies", hang_up())
    send = block("send", "StartOutboundChatContact", "bye", errors=ERROR, ContactFlowArn=replies,
                 SourceEndpoint={"Address": "arn", "Type": "CONNECT_PHONENUMBER_ARN"}, ContactSubtype="connect:SMS",
                 DestinationEndpoint={"Address": "$.CustomerEndpoint.Address", "Type": "TELEPHONE_NUMBER"},
                 InitialSystemMessage={"Content": "We missed your call."})  # fmt: skip
    told = str(world.plays(send, *WRONG).transcript)
    assert "sends +12065550142 a text message “We missed your call.”; replies go to the flow replies" in told
    nobody = {
        **send,
        "Parameters": {**send["Parameters"], "DestinationEndpoint": {"Address": "$.Attributes.to"}},
    }
    told = str(world.plays(nobody, *WRONG).hears("Wrong.").transcript)
    assert "DestinationEndpoint.Address is empty, since $.Attributes.to is missing" in told
    nowhere = {**send, "Parameters": {**send["Parameters"], "ContactFlowArn": "nowhere"}}
    world.plays(nowhere, *WRONG).hears("Wrong.")


def test_an_assistants_session_belongs_to_the_contact(world: Any) -> None:
    create = block(
        "create", "CreateWisdomSession", "set", errors=ERROR, WisdomAssistantArn="x:assistant/helper"
    )
    set_it = block("set", "UpdateContactData", "tell", errors=ERROR, WisdomSessionArn="$.Wisdom.SessionArn")
    contact = world.plays(create, set_it, say("tell", "$.Wisdom.SessionArn", "bye"), *WRONG)
    contact.hears(":session/helper/")


def test_an_earlier_chat_is_brought_back(world: Any) -> None:
    back = block("back", "CreatePersistentContactAssociation", "bye", errors=ERROR,
                 RehydrationType="ENTIRE_PAST_SESSION", SourceContactId="$.Attributes.first")  # fmt: skip
    told = world.plays(back, *WRONG, channel="CHAT", attributes={"first": "c-1"})
    assert told.state.related_contact_id == "c-1"
    world.plays(back, *WRONG, channel="CHAT").hears("Wrong.")


def test_the_related_contact_has_attributes_of_its_own(world: Any) -> None:
    sets = block("set", "UpdateContactAttributes", "bye", errors=ERROR, Attributes={"done": "yes"},
                 TargetContact="Related")  # fmt: skip
    contact = world.plays(sets, *WRONG, conditions=Conditions(related_contact={"a": "b"})).lacks_attributes(
        "done"
    )
    assert contact.state.related_attributes == {"a": "b", "done": "yes"}
    with pytest.raises(CannotPlayError, match=r"setup\.related_contact") as caught:
        world.plays(sets, *WRONG)
    assert caught.value.missing == ("related_contact",)


def test_data_of_voice_id_is_kept_and_references_are_refused(world: Any) -> None:
    data = block("set", "UpdateContactData", "bye", errors=ERROR, Name="Ada", IsVoiceIdStreamingEnabled="TRUE",
                 VoiceAuthenticationThreshold="90", WatchlistId="w")  # fmt: skip
    assert world.plays(data, *WRONG).ends("disconnected").state.name == "Ada"
    refused = block("set", "UpdateContactData", "bye", errors=ERROR, References={"a": {"Value": "b"}})
    with pytest.raises(CannotPlayError, match=r"does not publish a flow with its parameter References"):
        world.plays(refused, *WRONG)


def answers(status: str, content: str = "") -> dict[str, Any]:
    return {
        "status": status,
        "result": {"processedChatContent": {"content": content, "contentType": "text/plain"}},
    }


def processor(
    enabled: str = "True", delivers: str = "False", then: str = "ask", name: str = "on"
) -> dict[str, Any]:
    chat = {"ProcessingEnabled": enabled, "LambdaProcessorARN": FUNCTION,
            "ChatProcessorSettings": {"DeliverUnprocessedMessages": delivers}}  # fmt: skip
    return block(name, "UpdateContactMediaProcessing", then, errors={**ERROR, "ChannelMismatch": "wrong"},
                 ChatProcessor=chat)  # fmt: skip


ASK = block("ask", "ConnectParticipantWithLexBot", "none", Text="Your card?", LexV2Bot={"AliasArn": "a"},
            errors={"NoMatchingCondition": "none", **ERROR}, when=[("Equals", "Card", "bye")])  # fmt: skip
NONE = say("none", "I did not get that.", "bye")


@pytest.mark.parametrize(
    ("answer", "delivers", "utterance"),
    [
        (answers("PROCESSED", "[PII]"), "False", "[PII]"),
        (answers("APPROVED"), "False", "4111"),
        ({"status": "WHAT"}, "True", "4111"),
        (InvocationTimedOutError("too slow"), "True", "4111"),
    ],
)
def test_a_chats_messages_pass_through_a_processor(
    world: Any, answer: Any, delivers: str, utterance: str
) -> None:
    world.answers = [answers("PROCESSED", "Ihre Karte?"), answer]
    understood = Conditions(lex={utterance: Understanding(intent="Card")})
    contact = world.plays(processor(delivers=delivers), ASK, NONE, *WRONG, channel="CHAT", conditions=understood,
                          caller=Caller(moves=[Says("4111")]))  # fmt: skip
    contact.hears("Ihre Karte?").does_not_hear("Your card?", "I did not get that.")
    roles = [event["chatContent"]["participantRole"] for event in world.events]
    assert roles == ["SYSTEM", "CUSTOMER"]
    assert world.events[1]["chatContent"]["content"] == "4111"


@pytest.mark.parametrize(
    "answer", [answers("REJECTED"), {"status": "PROCESSED"}, InvocationTimedOutError("too slow")]
)
def test_a_message_that_is_not_processed_is_not_delivered(world: Any, answer: Any) -> None:
    world.answers = [answers("APPROVED"), answer, answers("APPROVED")]
    contact = world.plays(processor(), ASK, NONE, *WRONG, channel="CHAT", caller=Caller(moves=[Says("4111")]))
    contact.hears("Your card?", "I did not get that.")


def test_a_processor_is_turned_off_and_calls_have_none(world: Any) -> None:
    off = processor("False", then="none", name="off")
    world.plays(processor(then="off"), off, NONE, *WRONG, channel="CHAT").hears("I did not get that.")
    world.plays(processor(then="none"), NONE, *WRONG).hears("Wrong.")
    assert world.events == []


def test_a_module_has_an_input_and_a_result(world: Any) -> None:
    inner = world.publishes("inner", block("end", "EndFlowModuleExecution", Result="busy",
                            ResultData={"said": "$.Modules.Input.who waits"}), kind="MODULE")  # fmt: skip
    invoke = block("invoke", "InvokeFlowModule", "done", errors={**ERROR, "NoMatchingCondition": "wrong"},
                   when=[("Equals", "free", "wrong"), ("Equals", "busy", "tell")], FlowModuleId=inner,
                   Input={"who": "$.Attributes.name"})  # fmt: skip
    rest = [
        say("tell", "$.Modules.ResultData.said ($.Modules.Result)", "bye"),
        say("done", "Done.", "bye"),
        *WRONG,
    ]
    world.plays(invoke, *rest, attributes={"name": "Ada"}).hears("Ada waits (busy)")

    outer = world.publishes("outer", invoke, *rest[:1], block("bye", "EndFlowModuleExecution"), kind="MODULE")
    call = block("call", "InvokeFlowModule", "more", errors=ERROR, FlowModuleId=outer, Input={"who": "Bob"})
    world.plays(call, say("more", "[$.Modules.Input.who]", "bye"), *WRONG, attributes={"name": "Ada"}).hears(
        "Ada waits (busy)", "[]"
    )


@pytest.mark.parametrize(
    ("kind", "parameters", "name"),
    [
        ("TransferToFlow", {"ContactFlowId": "$.Attributes.next"}, "ContactFlowId"),
        ("InvokeFlowModule", {"FlowModuleId": "$.Attributes.next"}, "FlowModuleId"),
        ("InvokeLambdaFunction", {"LambdaFunctionARN": "$.Attributes.next", "InvocationTimeLimitSeconds": "3"},
         "LambdaFunctionARN"),
        ("UpdateContactTargetQueue", {"QueueId": "$.Attributes.next"}, "QueueId"),
        ("UpdateContactTargetQueue", {"AgentId": "$.Attributes.next"}, "AgentId"),
        ("CheckHoursOfOperation", {"HoursOfOperationId": "$.Attributes.next"}, "HoursOfOperationId"),
        ("CheckMetricData", {"QueueId": "$.Attributes.next", "MetricType": "NumberOfContactsInQueue"}, "QueueId"),
        ("GetMetricData", {"QueueId": "$.Attributes.next"}, "QueueId"),
        ("CreateCallbackContact", {"QueueId": "$.Attributes.next", "InitialCallDelaySeconds": "9",
                                   "RetryDelaySeconds": "9", "MaximumConnectionAttempts": "1"}, "QueueId"),
        ("UpdateContactEventHooks", {"EventHooks": {"CustomerQueue": "$.Attributes.next"}}, "EventHooks.CustomerQueue"),
        ("TransferParticipantToThirdParty", {"ThirdPartyPhoneNumber": "$.Attributes.next",
         "ThirdPartyConnectionTimeLimitSeconds": "9", "ContinueFlowExecution": "False"}, "ThirdPartyPhoneNumber"),
        ("UpdateContactData", {"CustomerId": "$.Attributes.next"}, "CustomerId"),
        ("UpdateContactTextToSpeechVoice", {"TextToSpeechVoice": "$.Attributes.next"}, "TextToSpeechVoice"),
        ("CreateWisdomSession", {"WisdomAssistantArn": "$.Attributes.next"}, "WisdomAssistantArn"),
        ("UpdateCase", {"CaseId": "$.Attributes.next", "CaseRequestFields": {"a": "b"}, "LinkContactToCase": "False"},
         "CaseId"),
    ],
)  # fmt: skip
def test_an_empty_id_takes_the_error_branch_and_names_the_reference(
    world: Any, kind: str, parameters: dict[str, Any], name: str
) -> None:
    contact = world.plays(block("b", kind, "bye", errors=ERROR, **parameters), *WRONG).hears("Wrong.")
    assert f"{name} is empty, since $.Attributes.next is missing" in str(contact.transcript)
    # Without a branch the flow breaks off, and says why.
    ended = world.plays(block("b", kind, "bye", **parameters), hang_up()).ends("failed")
    assert "$.Attributes.next is missing" in ended.ending.reason


def test_a_number_that_is_missing_takes_the_error_branch(world: Any) -> None:
    wait = block("wait", "Wait", "bye", errors=ERROR, TimeLimitSeconds="$.External.seconds")
    contact = world.plays(wait, *WRONG, channel="CHAT").hears("Wrong.")
    assert "TimeLimitSeconds is empty, since $.External.seconds is missing" in str(contact.transcript)


def test_a_number_that_is_missing_can_be_given(world: Any) -> None:
    loop = block(
        "loop", "Loop", "bye", when=[("Equals", "DoneLooping", "bye")], LoopCount="$.Attributes.times"
    )
    with pytest.raises(
        CannotPlayError, match=r"LoopCount is empty, since \$\.Attributes\.times is missing"
    ) as caught:
        world.plays(loop, hang_up())
    assert (caught.value.kind, caught.value.missing) == ("setup", ("attributes", "times"))
    world.plays(loop, hang_up(), attributes={"times": caught.value.example}).ends("disconnected")


@pytest.mark.parametrize(("agents", "heard"), [({"ada"}, "There."), (set(), "Wrong.")])
def test_an_agents_own_queue_is_staffed_while_the_agent_is_there(
    world: Any, agents: set[str], heard: str
) -> None:
    check = block("check", "CheckMetricData", "wrong", errors={**ERROR, "NoMatchingCondition": "wrong"},
                  when=[("NumberGreaterThan", "0", "there")], MetricType="NumberOfAgentsStaffed",
                  AgentId=f"{INSTANCE}/agent/ada")  # fmt: skip
    conditions = Conditions(agents=frozenset(agents), queues=[Queue(arn="q", name="q")])
    world.plays(check, say("there", "There.", "bye"), *WRONG, conditions=conditions).hears(heard)
