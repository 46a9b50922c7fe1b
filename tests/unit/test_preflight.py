from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from stacks.preflight import Aws, Finding, next_steps, run_checks
from stacks.preflight.__main__ import main
from stacks.preflight.account import outputs
from stacks.settings import Settings, load_settings
from tests.support import CONTEXT, INSTANCE_ARN, QUEUE_ARN

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
FLOW_ARN = f"{INSTANCE_ARN}/contact-flow/22222222-3333-4444-5555-666666666666"
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
TOPIC = "arn:aws:sns:us-east-1:123456789012:connect-bridges-dev-chat-Topic"
WEBHOOK = "https://bot.example.com/hook"
CHAT: dict[str, Any] = {"webhookUrl": WEBHOOK, "queueArn": QUEUE_ARN}
BIOMETRICS: dict[str, Any] = {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN}
OUTPUTS = {
    "connect-bridges-dev-chat": {
        "ChatTopicArn": TOPIC,
        "ChatTokenSecretArn": f"{SECRETS}token-aaaaaa",
        "ChatFlowArn": f"{FLOW_ARN[:-1]}7",
        "ChatModuleArn": f"{INSTANCE_ARN}/flow-module/chat",
    },
    "connect-bridges-dev-biometrics": {
        "BiometricsFlowArn": FLOW_ARN,
        "BiometricsModuleArn": f"{INSTANCE_ARN}/flow-module/gate",
        "BiometricsTelephonySecretArn": f"{SECRETS}twilio-aaaaaa",
        "BiometricsProviderSecretArn": f"{SECRETS}voiceit-aaaaaa",
        "BiometricsWebhookUrl": "https://api.example.com/dev/voice",
        "BiometricsStatusUrl": "https://api.example.com/dev/voice/status/0",
    },
}
GENERATED = {"VersionIdsToStages": {"1": ["AWSCURRENT"]}}
STORED = {"VersionIdsToStages": {"1": ["AWSPREVIOUS"], "2": ["AWSCURRENT"]}}
DENIED = {"error": {"Code": "AccessDeniedException", "Message": "no"}}
NOT_FOUND = {"error": {"Code": "ResourceNotFoundException", "Message": "none"}}


def stacks(**deployed: dict[str, str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Answer DescribeStacks: these are deployed, by capability, in the environment dev."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["StackName"]
        capability = name.removeprefix("connect-bridges-dev-")
        if capability not in deployed:
            message = f"Stack with id {name} does not exist"
            return {"error": {"Code": "ValidationError", "Message": message}}
        found = {**OUTPUTS[name], **deployed[capability]}
        return {
            "Stacks": [
                {"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in found.items()]}
            ]
        }

    return answer


class Account:
    """An AWS account that answers as told: botocore checks the requests against its service models."""

    def __init__(self, **changes: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[tuple[str, str], Any] = {
            ("sts", "get_caller_identity"): {"Account": "123456789012"},
            ("ssm", "get_parameter"): {"Parameter": {"Value": "30"}},
            ("cloudformation", "describe_stacks"): stacks(),
            ("connect", "describe_instance"): {
                "Instance": {"InstanceStatus": "ACTIVE", "OutboundCallsEnabled": True}
            },
            ("connect", "describe_instance_attribute"): {
                "Attribute": {"AttributeType": "CONTACTFLOW_LOGS", "Value": "true"}
            },
            ("connect", "describe_queue"): {"Queue": {"Name": "Agents", "Status": "ENABLED"}},
            ("connect", "describe_contact_flow"): {"ContactFlow": {"Name": "Next", "State": "ACTIVE"}},
            ("connect", "list_integration_associations"): {"IntegrationAssociationSummaryList": []},
            ("connect", "list_lambda_functions"): {"LambdaFunctions": [FUNCTION]},
            ("connect", "list_flow_associations"): {"FlowAssociationSummaryList": []},
            ("connect", "list_phone_numbers_v2"): {"ListPhoneNumbersSummaryList": []},
            ("service-quotas", "get_service_quota"): {"Quota": {"Value": 1.0}},
            ("apigateway", "get_account"): {},
            ("lambda", "get_function_configuration"): {"State": "Active", "Timeout": 10},
            ("secretsmanager", "describe_secret"): STORED,
            ("secretsmanager", "get_secret_value"): secret_values,
            ("sns", "list_subscriptions_by_topic"): {"Subscriptions": []},
        }
        for name, answer in changes.items():
            service, _, operation = name.partition("__")
            self.answers[service.replace("_", "-"), operation] = answer

    def client(self, service: str) -> Any:
        client = boto3.client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        operations = {api: method for method, api in client.meta.method_to_api_mapping.items()}

        def remember(params: dict[str, Any], model: Any, **_: Any) -> None:
            self.asked.append((model.name, params))

        def answer(model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
            told: Any = self.answers[service, operations[model.name]]
            if callable(told):
                told = told(self.asked[-1][1])
            error = told.get("error")
            return AWSResponse("", 400 if error else 200, {}, None), {"Error": error} if error else told

        client.meta.events.register("before-parameter-build", remember)
        client.meta.events.register("before-call", answer)
        return client


def secret_values(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer GetSecretValue with what each secret should hold."""
    held = {
        "twilio": json.dumps({"accountSid": "AC-hidden", "authToken": "hidden"}),
        "voiceit": json.dumps({"apiKey": "key_hidden", "apiToken": "tok_hidden"}),
        "token": "hidden\n",
    }
    return {"SecretString": held[asked["SecretId"].removeprefix(SECRETS)[:-7]]}


def settings(env: str = "dev", **voice: Any) -> Settings:
    environments = copy.deepcopy(CONTEXT["environments"])
    environments[env]["voice"].update(voice)
    return load_settings(environments, env)


def findings(env: str = "prod", account: Account | None = None, **voice: Any) -> dict[str, Finding]:
    return looked_at(settings(env, **voice), account or Account())


def looked_at(environment: Settings, account: Account) -> dict[str, Finding]:
    found = list(run_checks(environment, Aws(account.client)))
    assert "hidden" not in repr(found)
    by_name = {finding.check: finding for finding in found}
    assert len(by_name) == len(found)
    return by_name


def with_chat(**chat: Any) -> Settings:
    environments = copy.deepcopy(CONTEXT["environments"])
    environments["dev"]["chat"] = {**CHAT, **chat}
    return load_settings(environments, "dev")


def with_biometrics(**biometrics: Any) -> Settings:
    environments = copy.deepcopy(CONTEXT["environments"])
    environments["dev"]["biometrics"] = {**BIOMETRICS, **biometrics}
    return load_settings(environments, "dev")


def test_an_account_that_is_ready_passes_every_check() -> None:
    assert [finding for finding in findings().values() if not finding.ok] == []


def test_the_quota_that_aws_grants_on_request_is_asked_for_by_its_code() -> None:
    found = findings(account=Account(service_quotas__get_service_quota={"Quota": {"Value": 0.0}}))[
        "connector"
    ]
    assert found.found == "quota L-2BE4D75F is 0"
    assert "request-service-quota-increase --service-code connect --quota-code L-2BE4D75F" in found.fix
    assert found.blocking


def test_a_connector_that_the_instance_does_not_know_is_named() -> None:
    found = findings("dev")["connector"]
    assert "vc/abcdef1ghij2klmno3pqr4 is not associated" in found.found


def test_a_connector_that_is_associated_passes() -> None:
    associated = {
        "IntegrationAssociationSummaryList": [
            {"IntegrationArn": CONTEXT["environments"]["dev"]["voice"]["destination"]["connectorArn"]}
        ]
    }
    assert findings("dev", Account(connect__list_integration_associations=associated))["connector"].ok


def test_a_telephone_number_needs_no_connector() -> None:
    assert findings("dev", destination={"phoneNumber": "+12065550100"})["connector"].ok


@pytest.mark.parametrize(
    ("answer", "check", "fix"),
    [
        (
            {"sts__get_caller_identity": {"Account": "999999999999"}},
            "account",
            "use credentials of account 123456789012",
        ),
        (
            {"ssm__get_parameter": {"error": {"Code": "ParameterNotFound", "Message": "none"}}},
            "bootstrap",
            "npx cdk bootstrap aws://123456789012/us-east-1",
        ),
        ({"ssm__get_parameter": {"Parameter": {"Value": "5"}}}, "bootstrap", "npx cdk bootstrap"),
        (
            {"connect__describe_instance": {"Instance": {"InstanceStatus": "CREATION_FAILED"}}},
            "instance",
            "repair",
        ),
        (
            {"connect__describe_queue": {"Queue": {"Name": "Agents", "Status": "DISABLED"}}},
            "queue",
            "enable the queue",
        ),
        (
            {"connect__list_lambda_functions": {"LambdaFunctions": [FUNCTION] * 50}},
            "function associations",
            "L-E3D2F503",
        ),
    ],
)
def test_each_gap_has_its_fix(answer: dict[str, Any], check: str, fix: str) -> None:
    found = findings(account=Account(**answer))[check]
    assert fix in found.fix
    assert found.blocking


def test_flow_logs_that_are_off_do_not_block_a_deploy() -> None:
    off = {"Attribute": {"AttributeType": "CONTACTFLOW_LOGS", "Value": "false"}}
    found = findings(account=Account(connect__describe_instance_attribute=off))["flow logs"]
    assert not found.ok
    assert not found.blocking


def test_a_check_that_one_may_not_make_is_a_finding_and_the_others_go_on() -> None:
    denied = {"error": {"Code": "AccessDeniedException", "Message": "no"}}
    found = findings(account=Account(connect__describe_queue=denied))
    assert found["queue"].fix == "let your role call DescribeQueue"
    assert found["connector"].ok


def test_without_the_accounts_log_role_the_stage_could_not_log() -> None:
    assert "log role" in findings(metadata={"cloudWatchRole": False})["API Gateway log role"].fix


def test_what_remains_to_be_done_by_hand_is_said_in_order() -> None:
    steps = next_steps(settings("dev"))
    assert "CHIME_VOICECONNECTOR" in steps[0]
    assert "+12065550100" in steps[1]
    assert "get-secret-value" in steps[2]
    assert json.dumps(steps).count("11111111-2222-3333-4444-555555555555") == 1


def test_an_environment_without_chat_and_biometrics_is_not_asked_about_them() -> None:
    account = Account()
    assert not [name for name in findings("dev", account) if "chat" in name or "biometrics" in name]
    assert not {name for name, _ in account.asked} & {"DescribeSecret", "GetSecretValue"}


def test_every_stack_that_is_not_deployed_yet_needs_a_function_association() -> None:
    account = Account(connect__list_lambda_functions={"LambdaFunctions": [FUNCTION] * 49})
    found = looked_at(with_biometrics(), account)["function associations"]
    assert found.found == "49 of 50 used, 2 needed"
    assert not found.ok
    deployed = Account(
        connect__list_lambda_functions={"LambdaFunctions": [FUNCTION] * 49},
        cloudformation__describe_stacks=stacks(biometrics={}),
    )
    assert looked_at(with_biometrics(), deployed)["function associations"].ok


def test_a_transfer_to_a_telephone_number_needs_outbound_calls() -> None:
    off = {"Instance": {"InstanceStatus": "ACTIVE", "OutboundCallsEnabled": False}}
    account = Account(connect__describe_instance=off)
    for environment in (with_biometrics(), settings("dev", destination={"phoneNumber": "+12065550100"})):
        found = looked_at(environment, account)["outbound calls"]
        assert "--attribute-type OUTBOUND_CALLS --value true" in found.fix
        assert not found.blocking
    assert "outbound calls" not in findings("dev", account)


def test_the_stage_of_the_biometrics_logs_with_the_accounts_role_too() -> None:
    found = looked_at(with_biometrics(cloudWatchRole=False), Account())["API Gateway log role"]
    assert "biometrics.cloudWatchRole" in found.fix
    assert "voice.metadata" not in found.fix


@pytest.mark.parametrize("environment", [with_chat(), with_biometrics()], ids=["chat", "biometrics"])
def test_before_the_deployment_there_is_nothing_to_fill_in(environment: Settings) -> None:
    account = Account()
    found = looked_at(environment, account)
    assert [name for name, finding in found.items() if not finding.ok] == ["connector"]
    assert not {name for name, _ in account.asked} & {"DescribeSecret", "GetSecretValue"}


@pytest.mark.parametrize(
    ("environment", "deployed", "check"),
    [
        (with_chat(), {"chat": {}}, "chat token"),
        (with_biometrics(), {"biometrics": {}}, "Twilio credentials"),
        (with_biometrics(), {"biometrics": {}}, "VoiceIt credentials"),
    ],
)
def test_a_secret_that_nobody_has_filled_is_named_with_the_command(
    environment: Settings, deployed: dict[str, Any], check: str
) -> None:
    account = Account(
        cloudformation__describe_stacks=stacks(**deployed), secretsmanager__describe_secret=GENERATED
    )
    found = looked_at(environment, account)[check]
    assert found.found == "still holds what the deployment generated"
    assert f"put-secret-value --secret-id {SECRETS}" in found.fix
    assert "file://" in found.fix
    assert not found.blocking


def test_half_a_placeholder_is_one_as_well() -> None:
    account = Account(
        cloudformation__describe_stacks=stacks(biometrics={}),
        secretsmanager__get_secret_value={
            "SecretString": json.dumps({"accountSid": "put-yours-here", "authToken": "hidden"})
        },
    )
    found = looked_at(with_biometrics(), account)["Twilio credentials"]
    assert found.found == "still holds what the deployment generated"


def test_secrets_that_were_filled_pass() -> None:
    account = Account(cloudformation__describe_stacks=stacks(chat={}, biometrics={}))
    assert looked_at(with_chat(), account)["chat token"].found == "holds a token"
    found = looked_at(with_biometrics(), account)
    assert found["Twilio credentials"].found == "holds accountSid and authToken"
    assert found["VoiceIt credentials"].found == "holds apiKey and apiToken"


NAMED = with_biometrics(
    telephony={"number": "+12065550188", "secretArn": f"{SECRETS}twilio-abcdef"},
    provider={"voiceitSecretArn": f"{SECRETS}voiceit-abcdef"},
)


def test_secrets_that_settings_name_are_looked_at_before_the_deployment() -> None:
    account = Account(secretsmanager__describe_secret=GENERATED)
    found = looked_at(NAMED, account)
    assert found["Twilio credentials"].found == "holds accountSid and authToken"
    assert found["VoiceIt credentials"].found == "holds apiKey and apiToken"
    token = with_chat(tokenSecretArn=f"{SECRETS}token-abcdef")
    assert looked_at(token, account)["chat token"].found == "holds a token"


@pytest.mark.parametrize(
    ("answers", "says", "fix"),
    [
        (
            {"secretsmanager__describe_secret": NOT_FOUND},
            "does not exist",
            "leave biometrics.telephony.secretArn out",
        ),
        (
            {"secretsmanager__describe_secret": {"DeletedDate": "2026-01-01T00:00:00Z"}},
            "is being deleted",
            "restore-secret",
        ),
        ({"secretsmanager__get_secret_value": NOT_FOUND}, "has no value", "put-secret-value"),
        (
            {"secretsmanager__get_secret_value": {"SecretString": "hidden"}},
            "does not hold accountSid and authToken",
            '{"accountSid": "…", "authToken": "…"}',
        ),
        (
            {"secretsmanager__get_secret_value": {"SecretString": '{"accountSid": "AC-hidden"}'}},
            "does not hold authToken",
            "put-secret-value",
        ),
    ],
)
def test_a_named_secret_that_cannot_serve_stops_the_deployment(
    answers: dict[str, Any], says: str, fix: str
) -> None:
    found = looked_at(NAMED, Account(**answers))["Twilio credentials"]
    assert says in found.found
    assert fix in found.fix
    assert found.blocking


def test_a_secret_that_one_may_not_read_is_not_held_against_anybody() -> None:
    found = looked_at(NAMED, Account(secretsmanager__get_secret_value=DENIED))["Twilio credentials"]
    assert found.ok
    assert "was not checked" in found.found


def test_a_secret_under_somebody_elses_key_needs_that_keys_policy() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    found = looked_at(NAMED, Account(secretsmanager__describe_secret={**STORED, "KmsKeyId": key}))
    assert "kms:Decrypt" in found["Twilio credentials"].fix
    assert not found["Twilio credentials"].blocking
    managed = {**STORED, "KmsKeyId": "alias/aws/secretsmanager"}
    assert looked_at(NAMED, Account(secretsmanager__describe_secret=managed))["Twilio credentials"].ok


OWN_PROVIDER = with_biometrics(provider={"functionArn": FUNCTION, "name": "mine"})


def test_a_provider_function_takes_the_place_of_voiceits_credentials() -> None:
    found = looked_at(OWN_PROVIDER, Account())
    assert found["provider function"].found == "Active, 10 s"
    assert "VoiceIt credentials" not in found
    assert "VoiceIt" not in json.dumps(next_steps(OWN_PROVIDER))


@pytest.mark.parametrize(
    ("answer", "says", "fix", "blocking"),
    [
        (NOT_FOUND, "does not exist", "biometrics.provider.functionArn", True),
        (
            {"State": "Failed", "StateReason": "no image", "Timeout": 10},
            "Failed: no image",
            "repair",
            True,
        ),
        ({"State": "Active", "Timeout": 3}, "stopped after 3 s", "--timeout 8", False),
    ],
)
def test_a_provider_function_that_cannot_judge_in_time_is_named(
    answer: dict[str, Any], says: str, fix: str, blocking: bool
) -> None:
    account = Account(lambda__get_function_configuration=answer)
    found = looked_at(OWN_PROVIDER, account)["provider function"]
    assert says in found.found
    assert fix in found.fix
    assert found.blocking is blocking


@pytest.mark.parametrize(("seconds", "ok"), [(3, False), (4, True), (6, True)])
def test_a_provider_function_needs_the_time_that_the_gate_waits_for_it(seconds: int, ok: bool) -> None:
    provider = {"functionArn": FUNCTION, "name": "mine", "timeLimitSeconds": 4}
    account = Account(lambda__get_function_configuration={"State": "Active", "Timeout": seconds})
    found = looked_at(with_biometrics(provider=provider), account)["provider function"]
    assert found.ok is ok
    assert ok or "while the gate waits 4 s" in found.found
    assert ok or "--timeout 5" in found.fix


def test_queues_and_flow_of_the_biometrics_are_looked_at_each_by_itself() -> None:
    other = f"{QUEUE_ARN[:-1]}1"

    def queue(asked: dict[str, Any]) -> dict[str, Any]:
        disabled = other.endswith(asked["QueueId"])
        return {"Queue": {"Name": "Q", "Status": "DISABLED" if disabled else "ENABLED"}}

    account = Account(
        connect__describe_queue=queue,
        connect__describe_contact_flow={"ContactFlow": {"Name": "Next", "State": "ARCHIVED"}},
    )
    found = looked_at(with_biometrics(unverifiedQueueArn=other, nextFlowArn=FLOW_ARN), account)
    assert found["biometrics queue"].ok
    assert found["biometrics unverified queue"].fix == "enable the queue"
    assert found["biometrics next flow"].fix == "activate the flow"


def attached(*flows: str) -> dict[str, Any]:
    return {
        "FlowAssociationSummaryList": [
            {
                "ResourceId": f"arn:aws:connect:us-east-1:123456789012:phone-number/{number}",
                "FlowId": flow,
                "ResourceType": "VOICE_PHONE_NUMBER",
            }
            for number, flow in enumerate(flows)
        ]
    }


def test_a_flow_without_a_telephone_number_is_noted_after_the_deployment() -> None:
    deployed = stacks(biometrics={})
    account = Account(
        cloudformation__describe_stacks=deployed,
        connect__list_flow_associations=attached(f"{FLOW_ARN[:-1]}7"),
    )
    found = looked_at(with_biometrics(), account)["biometrics telephone number"]
    assert "attach one" in found.fix
    assert not found.blocking
    account = Account(
        cloudformation__describe_stacks=deployed, connect__list_flow_associations=attached(FLOW_ARN)
    )
    assert looked_at(with_biometrics(), account)["biometrics telephone number"].ok


def test_the_number_that_is_dialled_afterwards_has_to_come_back_to_the_flow() -> None:
    redial = with_biometrics(returnMode="REDIAL", redialNumber="+12065550199")
    claimed = {
        "ListPhoneNumbersSummaryList": [{"PhoneNumber": "+12065550199", "PhoneNumberId": "0"}],
    }
    deployed = stacks(biometrics={})
    assert "not claimed" in looked_at(redial, Account())["redial number"].found
    assert looked_at(redial, Account(connect__list_phone_numbers_v2=claimed))["redial number"].ok
    account = Account(connect__list_phone_numbers_v2=claimed, cloudformation__describe_stacks=deployed)
    assert "attach it" in looked_at(redial, account)["redial number"].fix
    account.answers["connect", "list_flow_associations"] = attached(FLOW_ARN)
    assert looked_at(redial, account)["redial number"].found == "attached to the flow"


def subscriptions(*arns: str, endpoint: str = WEBHOOK) -> dict[str, Any]:
    return {"Subscriptions": [{"SubscriptionArn": arn, "Endpoint": endpoint} for arn in arns]}


@pytest.mark.parametrize(
    ("answer", "says", "fix"),
    [
        (subscriptions(f"{TOPIC}:1"), "confirmed", ""),
        (subscriptions("PendingConfirmation"), "pending", "Request confirmation"),
        (subscriptions(), "no subscription for the webhook", "--revert-drift"),
        (subscriptions(f"{TOPIC}:1", endpoint="https://other.example.com"), "no subscription", "deploy"),
    ],
)
def test_whether_the_vendor_has_confirmed_the_subscription_is_said(
    answer: dict[str, Any], says: str, fix: str
) -> None:
    account = Account(
        cloudformation__describe_stacks=stacks(chat={}), sns__list_subscriptions_by_topic=answer
    )
    found = looked_at(with_chat(), account)["chat subscription"]
    assert says in found.found
    assert fix in found.fix
    assert found.ok == (fix == "")
    assert found.ok or not found.blocking


def test_a_webhook_on_this_machine_stops_the_deployment() -> None:
    found = looked_at(with_chat(webhookUrl="http://localhost:8080/hook"), Account())["chat webhook"]
    assert "Amazon SNS refuses" in found.fix
    assert found.blocking


def test_a_vendor_on_this_machine_stops_the_deployment() -> None:
    provider = {"voiceitApiUrl": "http://localhost:8080"}
    found = looked_at(with_biometrics(provider=provider), Account())["biometrics addresses"]
    assert found.found == "biometrics.provider.voiceitApiUrl http://localhost:8080"
    assert "https" in found.fix
    assert found.blocking
    assert "biometrics addresses" not in looked_at(with_biometrics(), Account())


def test_what_one_may_not_see_of_a_deployment_does_not_stop_the_next_one() -> None:
    account = Account(cloudformation__describe_stacks=DENIED)
    found = looked_at(with_chat(), account)
    assert found["chat token"].fix == "let your role call DescribeStacks"
    assert not found["chat token"].blocking
    assert outputs(with_chat(), Aws(account.client)) == {}


def test_the_steps_at_twilio_and_voiceit_name_the_settings() -> None:
    steps = "\n".join(next_steps(with_biometrics(phrase="open sesame please", language="en-GB")))
    for expected in (
        "'open sesame please' in en-GB",
        "+12065550188",
        "Enforce HTTP Auth on media URLs",
        "Country Allowlisting for Outbound Calls",
        "'A call comes in' is Webhook, <BiometricsWebhookUrl>, HTTP POST",
        "'Call status changes' is <BiometricsStatusUrl>, HTTP POST",
        "put-secret-value --secret-id <BiometricsTelephonySecretArn>",
        "put-secret-value --secret-id <BiometricsProviderSecretArn>",
        "--contact-flow-id <id at the end of BiometricsFlowArn>",
    ):
        assert expected in steps


def test_recordings_by_address_are_said_to_need_twilio_without_authentication() -> None:
    telephony = {**BIOMETRICS["telephony"], "recordingTransfer": "url"}
    steps = "\n".join(next_steps(with_biometrics(telephony=telephony)))
    assert "needs 'Enforce HTTP Auth on media URLs' off" in steps
    assert "switch on" not in steps


def test_after_the_deployment_the_steps_have_the_addresses_themselves() -> None:
    account = Account(cloudformation__describe_stacks=stacks(chat={}, biometrics={}))
    environments = copy.deepcopy(CONTEXT["environments"])
    environments["dev"].update(chat=CHAT, biometrics=BIOMETRICS)
    environment = load_settings(environments, "dev")
    steps = "\n".join(next_steps(environment, outputs(environment, Aws(account.client))))
    assert "https://api.example.com/dev/voice, HTTP POST" in steps
    assert "https://api.example.com/dev/voice/status/0, HTTP POST" in steps
    assert "--contact-flow-id 22222222-3333-4444-5555-666666666666" in steps
    assert f"list-subscriptions-by-topic --topic-arn {TOPIC}" in steps
    assert "<Chat" not in steps
    assert "<Biometrics" not in steps
    assert "<id at the end of VoiceFlowArn>" in steps


def test_what_is_set_up_already_is_not_asked_for() -> None:
    assert "put-secret-value" not in "\n".join(next_steps(NAMED))
    assert "put-secret-value" not in "\n".join(next_steps(with_chat(tokenSecretArn=f"{SECRETS}token-abcdef")))
    url = with_biometrics(
        telephony={"number": "+442079460100"}, redialNumber="+12065550199", returnMode="REDIAL"
    )
    steps = "\n".join(next_steps(url))
    assert "Attach +12065550199" in steps
    assert "voice geographic permission for the country of +12065550199" in steps
    assert "geographic permission" not in "\n".join(next_steps(with_biometrics()))
    assert "carriers may replace the caller id" in steps
    assert "carriers may replace" not in "\n".join(next_steps(with_biometrics()))


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (
            {"role": {"principal": "210987654321", "externalId": "tenant-7"}},
            "the role <ChatVendorRoleArn> and the external id tenant-7",
        ),
        ({"accessKey": {}}, "get-secret-value --secret-id <ChatVendorKeySecretArn>"),
        (None, "connect:CreateParticipant"),
    ],
)
def test_what_the_vendor_joins_chats_with_is_said(access: dict[str, Any] | None, expected: str) -> None:
    steps = "\n".join(next_steps(with_chat(vendorAccess=access, preset="kore")))
    assert expected in steps
    assert "the Region us-east-1" in steps
    assert "Channels & Flows, Channels, Digital, Amazon Connect Chat" in steps
    assert "put-secret-value --secret-id <ChatTokenSecretArn>" in steps


def test_the_command_prints_findings_and_steps_and_fails_if_a_deploy_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    context = copy.deepcopy(CONTEXT)
    context["environments"]["dev"].update(chat=CHAT, biometrics=BIOMETRICS)
    (tmp_path / "cdk.json").write_text(json.dumps({"context": context}))
    monkeypatch.chdir(tmp_path)
    account = Account(cloudformation__describe_stacks=stacks(chat={}, biometrics={}))
    made = account.client
    monkeypatch.setattr("stacks.preflight.__main__.boto3", Boto3(made))
    assert main(["dev"]) == 1
    said = capsys.readouterr().out
    assert "STOP  connector: " in said
    assert "note  chat subscription: " in said
    assert "ok    Twilio credentials: holds accountSid and authToken\n" in said
    assert "hidden" not in said
    assert "'A call comes in' is Webhook, https://api.example.com/dev/voice, HTTP POST" in said
    assert main(["nowhere"]) == 1
    assert "dev, prod" in capsys.readouterr().err


class Boto3:
    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def client(self, service: str, region_name: str) -> Any:
        assert region_name == "us-east-1"
        return self._client(service)
