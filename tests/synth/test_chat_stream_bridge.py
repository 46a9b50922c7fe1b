from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Match
from connect_bridges import (
    ChatConversation,
    ChatDelivery,
    ChatPrompts,
    ChatStreamBridge,
    ChatStreamPreset,
    ConnectInstance,
    ConstructArgumentError,
    FlowKind,
    VendorAccess,
)
from connect_flows import Flow, lint

from tests.support import INSTANCE_ARN, QUEUE_ARN, ROOT, policy_statements

WEBHOOK = "https://bot.example.com/adapter/hooks/amazonconnect/st-1"
ONLY_THIS_INSTANCE = {
    "StringEquals": {"aws:SourceAccount": "123456789012"},
    "ArnEquals": {"aws:SourceArn": INSTANCE_ARN},
}


def bridge(stack: cdk.Stack, instance: ConnectInstance, **options: Any) -> ChatStreamBridge:
    return ChatStreamBridge(
        stack,
        "Chat",
        **{"instance": instance, "webhook_url": WEBHOOK, "queue_arn": QUEUE_ARN, **options},
    )


def arn_of_topic(name: str) -> dict[str, Any]:
    return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":sns:us-east-1:123456789012:{name}"]]}


def template_of(stack: cdk.Stack) -> assertions.Template:
    return assertions.Template.from_stack(stack)


def only(template: assertions.Template, kind: str) -> dict[str, Any]:
    (resource,) = template.find_resources(kind).values()
    properties: dict[str, Any] = resource["Properties"]
    return properties


def content(stack: cdk.Stack, kind: str = "AWS::Connect::ContactFlow") -> dict[str, Any]:
    text = only(template_of(stack), kind)["Content"]
    if isinstance(text, dict):
        text = "".join(part if isinstance(part, str) else "<function>" for part in text["Fn::Join"][1])
    flow: dict[str, Any] = json.loads(text)
    return flow


def block(flow: dict[str, Any], identifier: str) -> dict[str, Any]:
    (found,) = [action for action in flow["Actions"] if action["Identifier"] == identifier]
    return found


def leads_to(flow: dict[str, Any], identifier: str, outcome: str) -> str:
    """Say where a block leads: outcome is "next", an error's type or a condition's operand."""
    transitions = block(flow, identifier)["Transitions"]
    if outcome == "next":
        return str(transitions["NextAction"])
    targets = {error["ErrorType"]: error["NextAction"] for error in transitions["Errors"]}
    targets |= {c["Condition"]["Operands"][0]: c["NextAction"] for c in transitions["Conditions"]}
    return str(targets[outcome])


# --- topic, key, subscription, dead letters ----------------------------------------------------------------------


def test_only_this_instance_may_publish_and_only_over_tls(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    statements = only(template_of(stack), "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    allowed = [s for s in statements if s["Effect"] == "Allow"]
    denied = [s for s in statements if s["Effect"] == "Deny"]
    assert [(s["Action"], s["Principal"], s["Condition"]) for s in allowed] == [
        ("sns:Publish", {"Service": "connect.amazonaws.com"}, ONLY_THIS_INSTANCE)
    ]
    assert [s["Condition"] for s in denied] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"ArnNotEquals": {"aws:SourceArn": INSTANCE_ARN}},
    ]
    assert all(s["Action"] == "sns:Publish" and s["Principal"] == "*" for s in denied)


def test_connect_may_use_the_key_for_this_instance_and_sns_for_dead_letters_and_nobody_for_more(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    key = only(template_of(stack), "AWS::KMS::Key")
    services = {
        s["Principal"]["Service"]: (sorted(s["Action"]), s["Condition"])
        for s in key["KeyPolicy"]["Statement"]
        if "Service" in s["Principal"]
    }
    use = ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert services == {
        "connect.amazonaws.com": (use, ONLY_THIS_INSTANCE),
        "sns.amazonaws.com": (
            use,
            {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": arn_of_topic("*")},
            },
        ),
    }
    assert key["EnableKeyRotation"] is True


def test_the_topic_is_standard_encrypted_and_signs_with_version_2(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    topic = only(template_of(stack), "AWS::SNS::Topic")
    assert topic["SignatureVersion"] == "2"
    assert "Arn" in topic["KmsMasterKeyId"]["Fn::GetAtt"]
    assert "FifoTopic" not in topic


def test_customer_messages_go_to_the_webhook_in_their_envelope_and_else_to_the_dead_letters(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    template = template_of(stack)
    subscription = only(template, "AWS::SNS::Subscription")
    (queue,) = template.find_resources("AWS::SQS::Queue")
    assert subscription["Protocol"] == "https"
    assert subscription["Endpoint"] == WEBHOOK
    assert subscription["FilterPolicy"] == {"Type": ["MESSAGE"], "ParticipantRole": ["CUSTOMER"]}
    assert subscription["RawMessageDelivery"] is False
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": [queue, "Arn"]}}


def test_the_retries_keep_to_the_limits_of_sns(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge(stack, instance)
    retry = only(template_of(stack), "AWS::SNS::Subscription")["DeliveryPolicy"]["healthyRetryPolicy"]
    assert 1 <= retry["minDelayTarget"] <= retry["maxDelayTarget"] <= 3600
    fixed = retry["numNoDelayRetries"] + retry["numMinDelayRetries"] + retry["numMaxDelayRetries"]
    assert fixed <= retry["numRetries"] <= 100
    assert retry["numMaxDelayRetries"] * retry["maxDelayTarget"] >= 300
    assert retry["numRetries"] * retry["maxDelayTarget"] <= 3600


def test_a_message_is_tried_again_20_times_within_about_ten_minutes(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    retry = only(template_of(stack), "AWS::SNS::Subscription")["DeliveryPolicy"]["healthyRetryPolicy"]
    low, high = retry["minDelayTarget"], retry["maxDelayTarget"]
    early, late = retry["numMinDelayRetries"], retry["numMaxDelayRetries"]
    between = retry["numRetries"] - retry["numNoDelayRetries"] - early - late
    growing = sum(low * (high / low) ** (step / (between + 1)) for step in range(1, between + 1))
    assert retry["backoffFunction"].lower() == "exponential"
    assert retry["numRetries"] == 20
    assert 9 * 60 < early * low + growing + late * high < 11 * 60


def test_dead_letters_are_encrypted_kept_for_14_days_and_come_from_this_topic_over_tls(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    template = template_of(stack)
    queue = only(template, "AWS::SQS::Queue")
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert "KmsMasterKeyId" in queue
    (topic,) = template.find_resources("AWS::SNS::Topic")
    (queue_name,) = template.find_resources("AWS::SQS::Queue")
    statements = only(template, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    assert [s for s in statements if s["Effect"] == "Allow"] == [
        {
            "Action": "sqs:SendMessage",
            "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": topic}}},
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Resource": {"Fn::GetAtt": [queue_name, "Arn"]},
        }
    ]
    assert any(s["Effect"] == "Deny" and "aws:SecureTransport" in s["Condition"]["Bool"] for s in statements)


def test_a_key_of_ones_own_is_opened_for_connect_and_sns(stack: cdk.Stack, instance: ConnectInstance) -> None:
    key = kms.Key(stack, "Mine")
    assert bridge(stack, instance, encryption_key=key).key is key
    statements = only(template_of(stack), "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    assert {s["Principal"].get("Service") for s in statements} >= {
        "connect.amazonaws.com",
        "sns.amazonaws.com",
    }


def test_an_imported_key_brings_a_warning_with_the_statements_to_add(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    bridge(stack, instance, encryption_key=kms.Key.from_key_arn(stack, "Theirs", arn))
    warnings = assertions.Annotations.from_stack(stack).find_warning(
        "*", Match.string_like_regexp("add this statement.*(connect|sns).amazonaws.com")
    )
    assert len(warnings) == 2


# --- the function ------------------------------------------------------------------------------------------------


def test_the_function_may_start_and_stop_streaming_on_this_instance_and_read_its_token(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    granted = {
        action: statement["Resource"]
        for statement in policy_statements(template_of(stack).to_json())
        for action in statement["Action"]
    }
    assert set(granted) == {
        "connect:StartContactStreaming",
        "connect:StopContactStreaming",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
    }
    # Which of the two Connect checks is disputed.
    both = [INSTANCE_ARN, f"{INSTANCE_ARN}/contact/*"]
    assert granted.pop("connect:StartContactStreaming") == granted.pop("connect:StopContactStreaming") == both
    assert not any("*" in json.dumps(resource) for resource in granted.values())


def test_the_function_has_connects_8_seconds_and_no_secret_in_its_environment(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    function = only(template_of(stack), "AWS::Lambda::Function")
    assert function["Timeout"] == 8
    assert set(function["Environment"]["Variables"]) == {
        "CACHE_SECONDS",
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_SERVICE_NAME",
        "TOKEN_HEADER",
        "TOKEN_SECRET_ARN",
        "TOPIC_ARN",
        "WEBHOOK_URL",
    }


def test_a_token_of_ones_own_and_its_key_are_what_the_function_may_read(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    secret = secretsmanager.Secret(stack, "Mine", encryption_key=kms.Key(stack, "TokenKey"))
    bridge(stack, instance, token_secret=secret)
    template = template_of(stack)
    template.resource_count_is("AWS::SecretsManager::Secret", 1)
    (mine,) = template.find_resources("AWS::SecretsManager::Secret")
    (token_key,) = [name for name in template.find_resources("AWS::KMS::Key") if name.startswith("TokenKey")]
    granted = {a: s["Resource"] for s in policy_statements(template.to_json()) for a in s["Action"]}
    assert granted["secretsmanager:GetSecretValue"] == [{"Ref": mine}]
    assert granted["kms:Decrypt"] == [{"Fn::GetAtt": [token_key, "Arn"]}]


def test_two_bridges_count_their_chats_apart(stack: cdk.Stack, instance: ConnectInstance) -> None:
    one = bridge(stack, instance)
    two = ChatStreamBridge(stack, "Other", instance=instance, webhook_url=WEBHOOK, queue_arn=QUEUE_ARN)
    assert one.metric_failed().dimensions != two.metric_failed().dimensions
    for made in (one, two):
        service = (made.metric_failed().dimensions or {})["service"]
        template_of(stack).has_resource_properties(
            "AWS::Lambda::Function",
            {"Environment": {"Variables": Match.object_like({"POWERTOOLS_SERVICE_NAME": service})}},
        )


# --- presets and settings ----------------------------------------------------------------------------------------


def test_the_kore_preset_gives_the_guides_names(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge(stack, instance, preset=ChatStreamPreset.kore())
    template = template_of(stack)
    assert only(template, "AWS::SNS::Topic")["TopicName"] == "KoreChatStream"
    assert only(template, "AWS::Lambda::Function")["FunctionName"] == "AmazonConnect_SendContactId"
    statement = next(
        s
        for s in only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
        if s["Principal"] == {"Service": "sns.amazonaws.com"}
    )
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": arn_of_topic("KoreChatStream")}


def test_every_name_of_a_preset_can_be_replaced(stack: cdk.Stack, instance: ConnectInstance) -> None:
    preset = ChatStreamPreset.kore().with_overrides(
        topic_name="Mine",
        function_name="MyFunction",
        token_header="X-Bot-Token",
        filter_policy={"ParticipantRole": ["CUSTOMER"], "MessageVisibility": ["CUSTOMER", "ALL"]},
    )
    bridge(stack, instance, preset=preset)
    template = template_of(stack)
    assert only(template, "AWS::SNS::Topic")["TopicName"] == "Mine"
    function = only(template, "AWS::Lambda::Function")
    assert function["FunctionName"] == "MyFunction"
    assert function["Environment"]["Variables"]["TOKEN_HEADER"] == "X-Bot-Token"
    assert "MessageVisibility" in only(template, "AWS::SNS::Subscription")["FilterPolicy"]


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="choose one of default, kore"):
        ChatStreamPreset.named("korea")


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("", "write https://HOST/PATH"),
        ("bot.example.com/hook", "write https://HOST/PATH"),
        ("ftp://bot.example.com", "write https://HOST/PATH"),
        ("http://bot.example.com/hook", "write https; http is for a fake on localhost only"),
        ("https://me:word@bot.example.com/", "leave out user and password"),
        ("https://bot.example.com/#x", "leave out what follows #"),
        ("https://bot.example.com:x/", "that is no URL"),
        ("https://bot.example.com/a b", "percent-encode"),
        ("https://10.0.0.5/hook", "private, link-local or reserved"),
        ("https://169.254.169.254/latest", "private, link-local or reserved"),
        ("https://192.168.1.1/hook", "private, link-local or reserved"),
        ("https://[fd00::1]/hook", "private, link-local or reserved"),
        ("https://[::ffff:10.0.0.5]/hook", "private, link-local or reserved"),
        ("https://127.0.0.2/hook", "private, link-local or reserved"),
        ("https://2130706433/hook", "a disguise"),
        ("https://intranet/hook", "not on the public internet"),
        ("https://metadata.google.internal/", "not on the public internet"),
        ("https://bot.example.com/" + "x" * 2048, "SNS takes 2048"),
    ],
)
def test_a_webhook_that_must_not_be_is_refused_at_synth(
    stack: cdk.Stack, instance: ConnectInstance, url: str, advice: str
) -> None:
    with pytest.raises(ValueError, match="webhook_url is") as raised:
        bridge(stack, instance, webhook_url=url)
    assert advice in str(raised.value)


@pytest.mark.parametrize("url", ["http://localhost:8080/hook", "http://127.0.0.1/", "http://[::1]:9/hook"])
def test_a_fake_on_this_machine_is_taken_with_a_warning(
    stack: cdk.Stack, instance: ConnectInstance, url: str
) -> None:
    bridge(stack, instance, webhook_url=url)
    assert only(template_of(stack), "AWS::SNS::Subscription")["Protocol"] == "http"
    assertions.Annotations.from_stack(stack).has_warning(
        "*", Match.string_like_regexp("rehearsal on this machine")
    )


def test_a_webhook_that_is_known_at_deploy_time_only_is_https(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    parameter = cdk.CfnParameter(stack, "Webhook")
    bridge(stack, instance, webhook_url=parameter.value_as_string)
    subscription = only(template_of(stack), "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("https", {"Ref": "Webhook"})


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"queue_arn": INSTANCE_ARN}, "queue_arn is"),
        ({"token_cache": cdk.Duration.hours(2)}, "token_cache is 7,200 seconds"),
        ({"preset": ChatStreamPreset(filter_policy={})}, "filter_policy is empty"),
        ({"preset": ChatStreamPreset(filter_policy={"Typ": ["MESSAGE"]})}, "filters by 'Typ'"),
        ({"preset": ChatStreamPreset(filter_policy={"Type": "MESSAGE"})}, "write a list"),
        (
            {"preset": ChatStreamPreset(filter_policy={"ContentType": [str(n) for n in range(151)]})},
            "151 combinations",
        ),
        ({"preset": ChatStreamPreset(token_header="a:b")}, "token_header is 'a:b'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    stack: cdk.Stack, instance: ConnectInstance, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        bridge(stack, instance, **options)


@pytest.mark.parametrize(
    ("make", "complaints"),
    [
        (
            lambda: ChatConversation(
                wait_for_bot=cdk.Duration.days(8),
                time_to_join=cdk.Duration.minutes(2),
                after_wait="hang up",  # type: ignore[arg-type]
            ),
            [
                "wait_for_bot is 691,200 seconds (8 days)",
                "time_to_join is 120 seconds",
                "choose disconnect or queue",
            ],
        ),
        (
            lambda: ChatDelivery(dead_letter_retention=cdk.Duration.days(15)),
            ["dead_letter_retention is 1,296,000 seconds (15 days); choose a value from 60"],
        ),
    ],
)
def test_options_name_everything_that_cannot_be(make: Any, complaints: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\S") as raised:
        make()
    assert isinstance(raised.value, ConstructArgumentError)
    assert len(raised.value.problems) == len(complaints)
    assert all(complaint in str(raised.value) for complaint in complaints)


def test_everything_that_is_wrong_is_told_at_once(stack: cdk.Stack, instance: ConnectInstance) -> None:
    with pytest.raises(ValueError, match="webhook_url is") as raised:
        bridge(
            stack,
            instance,
            webhook_url="http://bot.example.com",
            queue_arn=INSTANCE_ARN,
            token_cache=cdk.Duration.hours(2),
        )
    for setting in ("webhook_url is", "queue_arn is", "token_cache is 7,200 seconds"):
        assert setting in str(raised.value)


# --- the flow ----------------------------------------------------------------------------------------------------

FALLBACK = "Say that the bot is not available"


@pytest.mark.parametrize(
    ("name", "kind"), [("chat_stream.json", FlowKind.FLOW), ("chat_stream_module.json", FlowKind.MODULE)]
)
def test_the_templates_lint_clean(name: str, kind: FlowKind) -> None:
    document = json.loads((ROOT / "flows" / name).read_text())
    assert lint(document, name=name, kind=kind, flow_type="CONTACT_FLOW") == []


def test_the_flow_waits_as_the_guide_says_and_queues_when_the_bot_leaves(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance)
    flow = content(stack)
    start = block(flow, "Start the bot")["Parameters"]
    assert start["InvocationTimeLimitSeconds"] == "8"
    assert start["ResponseValidation"] == {"ResponseType": "STRING_MAP"}
    wait = block(flow, "Wait for the bot")["Parameters"]
    assert wait == {"TimeLimitSeconds": "900", "Events": ["BotParticipantDisconnected"]}
    assert leads_to(flow, "Wait for the bot", "BotParticipantDisconnected") == "Stop streaming"
    assert leads_to(flow, "Stop streaming", "next") == "Say that an agent takes over"
    assert leads_to(flow, "Say that an agent takes over", "next") == "Choose the queue"
    assert leads_to(flow, "Wait for the bot", "WaitCompleted") == "Say that time is up"
    assert leads_to(flow, "Say that time is up", "next") == "Disconnect"


def test_a_bot_that_was_not_reached_means_an_agent(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge(stack, instance)
    flow = content(stack)
    assert leads_to(flow, "Start the bot", "NoMatchingError") == FALLBACK
    assert leads_to(flow, "Was the bot started", "NoMatchingCondition") == FALLBACK
    assert leads_to(flow, "Was the bot started", "started") == "Keep the streaming id"
    assert leads_to(flow, FALLBACK, "next") == "Choose the queue"


def test_a_bot_that_has_not_joined_yet_gets_15_seconds(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge(stack, instance)
    flow = content(stack)
    assert leads_to(flow, "Wait for the bot", "ParticipantNotFound") == "Give the bot time to join"
    assert block(flow, "Give the bot time to join")["Parameters"] == {"TimeLimitSeconds": "15"}
    assert leads_to(flow, "Give the bot time to join", "WaitCompleted") == "Wait for the bot that joined"
    second = "Wait for the bot that joined"
    assert leads_to(flow, second, "ParticipantNotFound") == "Stop streaming that nobody hears"
    assert leads_to(flow, "Stop streaming that nobody hears", "next") == FALLBACK
    assert leads_to(flow, second, "BotParticipantDisconnected") == "Stop streaming"


def paths(flow: dict[str, Any]) -> Iterator[list[str]]:
    """Yield every way through a flow, from its start to a block that leads nowhere."""
    steps = {
        action["Identifier"]: {
            action["Transitions"].get("NextAction"),
            *(error["NextAction"] for error in action["Transitions"].get("Errors", [])),
            *(condition["NextAction"] for condition in action["Transitions"].get("Conditions", [])),
        }
        - {None}
        for action in flow["Actions"]
    }
    waiting = [[str(flow["StartAction"])]]
    while waiting:
        path = waiting.pop()
        if not steps[path[-1]]:
            yield path
        waiting.extend([*path, step] for step in sorted(steps[path[-1]]) if step not in path)


@pytest.mark.parametrize("after_wait", ["disconnect", "queue"])
@pytest.mark.parametrize("stop_at_hand_over", [True, False])
def test_every_way_through_the_flow_asks_for_an_agent_or_ends_a_finished_conversation(
    stack: cdk.Stack, instance: ConnectInstance, after_wait: Any, stop_at_hand_over: bool
) -> None:
    conversation = ChatConversation(after_wait=after_wait, stop_at_hand_over=stop_at_hand_over)
    bridge(stack, instance, conversation=conversation)
    flow = content(stack)
    ways = list(paths(flow))
    assert {way[-1] for way in ways} == {"Disconnect"}
    assert {block_ for way in ways for block_ in way} == {a["Identifier"] for a in flow["Actions"]}
    for way in ways:
        assert "Choose the queue" in way or "Say that time is up" in way
    assert any("Say that time is up" in way for way in ways) is (after_wait == "disconnect")
    assert ("Stop streaming" in {a["Identifier"] for a in flow["Actions"]}) is stop_at_hand_over
    assert Flow.parse(flow) is not None


def test_the_module_leaves_its_outcome_on_the_contact(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge(stack, instance)
    module = content(stack, "AWS::Connect::ContactFlowModule")
    outcomes = [
        action["Parameters"]["Attributes"]
        for action in module["Actions"]
        if action["Type"] == "UpdateContactAttributes"
    ]
    assert outcomes == [
        {"chatStreamResult": "started", "chatStreamingId": "$.External.streamingId"},
        {"chatStreamResult": "failed", "chatStreamReason": "$.External.reason"},
        {"chatStreamResult": "failed", "chatStreamReason": "functionFailed"},
    ]


def test_the_customer_reads_what_was_configured(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge(stack, instance, prompts=ChatPrompts(welcome="Grüezi", not_available="Kein Bot"))
    flow = content(stack)
    assert block(flow, "Welcome the customer")["Parameters"]["Text"] == "Grüezi"
    assert block(flow, FALLBACK)["Parameters"]["Text"] == "Kein Bot"


def test_the_flows_are_published_after_the_association(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge(stack, instance)
    template = template_of(stack)
    (association,) = template.find_resources("AWS::Connect::IntegrationAssociation")
    for kind in ("AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"):
        (published,) = template.find_resources(kind).values()
        assert association in published["DependsOn"]


# --- the vendor's access -----------------------------------------------------------------------------------------

VENDOR_MAY = {"connect:CreateParticipant": [INSTANCE_ARN, f"{INSTANCE_ARN}/contact/*"]}


def granted_to(template: assertions.Template, holder: str) -> dict[str, Any]:
    return {
        action: statement["Resource"]
        for resource in template.find_resources("AWS::IAM::Policy").values()
        if any(holder in json.dumps(resource["Properties"].get(key, [])) for key in ("Roles", "Users"))
        for statement in policy_statements({"Resources": {"One": resource}})
        for action in statement["Action"]
    }


def test_without_vendor_access_there_is_no_principal_for_a_vendor(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    assert bridge(stack, instance).vendor is None
    template_of(stack).resource_count_is("AWS::IAM::User", 0)


@pytest.mark.parametrize("principal", ["210987654321", "arn:aws:iam::210987654321:role/bot"])
def test_a_vendor_assumes_a_role_with_its_external_id(
    stack: cdk.Stack, instance: ConnectInstance, principal: str
) -> None:
    bridge(stack, instance, vendor_access=VendorAccess.role(principal, external_id="tenant-4711"))
    template = template_of(stack)
    (trust,) = [
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        for role in template.find_resources("AWS::IAM::Role").values()
        if "AWS" in role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    ]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "tenant-4711"}}
    assert principal in json.dumps(trust["Principal"])
    assert granted_to(template, "VendorRole") == VENDOR_MAY
    template.resource_count_is("AWS::IAM::AccessKey", 0)


def test_a_key_for_a_vendor_goes_into_a_secret_and_nowhere_else(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    made = bridge(stack, instance, vendor_access=VendorAccess.access_key())
    assert made.vendor is not None
    assert made.vendor.secret is not None
    cdk.CfnOutput(stack, "Where", value=made.vendor.secret.secret_arn)
    template = template_of(stack).to_json()
    holders = [
        name for name, resource in template["Resources"].items() if "SecretAccessKey" in json.dumps(resource)
    ]
    (holder,) = holders
    assert template["Resources"][holder]["Type"] == "AWS::SecretsManager::Secret"
    assert "KmsKeyId" in template["Resources"][holder]["Properties"]
    assert "SecretAccessKey" not in json.dumps(template["Outputs"])
    assert granted_to(template_of(stack), "VendorUser") == VENDOR_MAY


def test_a_rotation_has_two_keys_and_the_newer_one_in_the_secret(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance, vendor_access=VendorAccess.access_key(serials=(1, 2)))
    template = template_of(stack)
    keys = template.find_resources("AWS::IAM::AccessKey")
    (newer,) = [name for name, key in keys.items() if key["Properties"]["Serial"] == 2]
    assert len(keys) == 2
    (secret,) = [
        s["Properties"]
        for s in template.find_resources("AWS::SecretsManager::Secret").values()
        if "SecretString" in s["Properties"]
    ]
    assert {"Fn::GetAtt": [newer, "SecretAccessKey"]} in secret["SecretString"]["Fn::Join"][1]


def test_the_keys_age_is_looked_at_daily_with_the_right_to_list_this_users_keys(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge(stack, instance, vendor_access=VendorAccess.access_key())
    template = template_of(stack)
    assert only(template, "AWS::Events::Rule")["ScheduleExpression"] == "rate(1 day)"
    (user,) = template.find_resources("AWS::IAM::User")
    granted = granted_to(template, "KeyAge")
    assert granted["iam:ListAccessKeys"] == [{"Fn::GetAtt": [user, "Arn"]}]
    assert set(granted) == {"iam:ListAccessKeys", "logs:CreateLogStream", "logs:PutLogEvents"}


def test_more_for_the_vendor_is_named_and_limited_to_contacts(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    access = VendorAccess.role("210987654321", external_id="tenant", also=["connect:StopContact"])
    bridge(stack, instance, vendor_access=access)
    assert granted_to(template_of(stack), "VendorRole") == {
        **VENDOR_MAY,
        "connect:StopContact": [f"{INSTANCE_ARN}/contact/*"],
    }
    [conditions] = [
        statement["Condition"]
        for statement in policy_statements(template_of(stack).to_json())
        if "connect:StopContact" in statement["Action"]
    ]
    assert conditions == {"StringEquals": {"connect:Channel": "CHAT"}}, "no call of the instance"


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: VendorAccess.role("kore", external_id="tenant"), "principal is 'kore'"),
        (lambda: VendorAccess.role("210987654321", external_id="x"), "external_id is 'x'"),
        (lambda: VendorAccess.access_key(also=["connect:*"]), r"also holds connect:\*"),
        (lambda: VendorAccess.access_key(serials=()), r"serials is \(\)"),
        (lambda: VendorAccess.access_key(serials=(2, 1)), "in ascending order"),
        (lambda: VendorAccess.access_key(serials=(1, 2, 3)), "serials is"),
        (
            lambda: VendorAccess.access_key(rotate_after=cdk.Duration.hours(1)),
            "rotate_after is 1 hour; choose whole days, from 1 to 3,650 days",
        ),
        (lambda: VendorAccess.access_key(rotate_after=cdk.Duration.days(3651)), "rotate_after is 3,651 days"),
    ],
)
def test_access_that_cannot_be_is_refused_by_name(make: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_a_role_has_no_key_age(stack: cdk.Stack, instance: ConnectInstance) -> None:
    made = bridge(stack, instance, vendor_access=VendorAccess.role("210987654321", external_id="tenant"))
    assert made.vendor is not None
    with pytest.raises(ValueError, match="no access keys"):
        made.vendor.metric_key_age()


# --- operations --------------------------------------------------------------------------------------------------


def test_whoever_redrives_may_read_and_delete_dead_letters_and_decrypt_them(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    role = iam.Role(stack, "Operator", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    bridge(stack, instance).grant_redrive(role)
    assert set(granted_to(template_of(stack), "Operator")) == {
        "kms:Decrypt",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
    }


def test_alarms_watch_each_way_to_lose_a_chat(stack: cdk.Stack, instance: ConnectInstance) -> None:
    made = bridge(stack, instance, vendor_access=VendorAccess.access_key(rotate_after=cdk.Duration.days(60)))
    monitoring = made.monitor()
    alarms = template_of(stack).find_resources("AWS::CloudWatch::Alarm").values()
    watched = {alarm["Properties"]["MetricName"]: alarm["Properties"]["Threshold"] for alarm in alarms}
    assert watched == {
        "ApproximateNumberOfMessagesVisible": 1,
        "ChatStreamingFailed": 1,
        "Errors": 1,
        "NumberOfNotificationsFailedToRedriveToDlq": 1,
        "Throttles": 1,
        "VendorKeyAge": 60,
    }
    assert len(alarms) == len(monitoring.alarms) == 7
    assert all(alarm["Properties"]["AlarmDescription"] for alarm in alarms)
    template_of(stack).resource_count_is("AWS::CloudWatch::Dashboard", 1)
