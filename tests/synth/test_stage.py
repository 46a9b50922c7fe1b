from __future__ import annotations

import copy
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.settings import SettingsError, load_settings
from stacks.stage import build_stage
from tests.support import CONTEXT, QUEUE_ARN, ROOT
from tests.support.instances import new_environment
from tests.synth.contract import assert_contract
from tests.synth.shapes import Shapes


@pytest.fixture
def environments() -> dict[str, Any]:
    return copy.deepcopy(CONTEXT["environments"])


def test_an_environment_gets_the_stacks_that_its_settings_name(environments: dict[str, Any]) -> None:
    environments["dev"]["chat"] = {"webhookUrl": "https://bot.example.com/hook", "queueArn": QUEUE_ARN}
    environments["dev"]["biometrics"] = {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN}
    app = cdk.App(context=CONTEXT)
    build_stage(app, load_settings(environments, "dev"))

    stacks = {stack.stack_name: stack for stack in app.synth().stacks}

    assert set(stacks) == {f"connect-bridges-dev-{name}" for name in ("voice", "chat", "biometrics")}
    resources = stacks["connect-bridges-dev-chat"].template["Resources"].values()
    (topic,) = [resource for resource in resources if resource["Type"] == "AWS::SNS::Topic"]
    assert {"Key": "environment", "Value": "dev"} in topic["Properties"]["Tags"]


ORDER = ("alarms", "instance", "configuration", "voice", "chat", "biometrics", "numbers", "monitoring")


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> cdk.cx_api.CloudAssembly:
    """Return the cloud assembly of an environment that creates its instance, with the CDK's own strong references."""
    context = {**CONTEXT, "@aws-cdk/core:defaultCrossStackReferences": "strong"}
    app = cdk.App(context=context, outdir=str(tmp_path_factory.mktemp("created")))
    build_stage(app, load_settings({"new": new_environment(CONTEXT)}, "new"))
    return app.synth()


def resources(assembly: cdk.cx_api.CloudAssembly, part: str, kind: str) -> dict[str, dict[str, Any]]:
    template = assembly.get_stack_by_name(f"connect-bridges-new-{part}").template
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def test_the_stacks_of_an_environment_with_its_own_instance_follow_one_another(
    created: cdk.cx_api.CloudAssembly,
) -> None:
    names = [f"connect-bridges-new-{part}" for part in ORDER]
    assert sorted(stack.stack_name for stack in created.stacks) == sorted(names)
    for before, after in itertools.pairwise(names):
        needed = [each.id for each in created.get_stack_by_name(after).dependencies]
        assert before in needed
        assert not {*names[names.index(after) :]} & {*needed}


def test_no_stack_holds_up_the_update_of_another(created: cdk.cx_api.CloudAssembly) -> None:
    read = set()
    for stack in created.stacks:
        text = json.dumps(stack.template)
        assert "Fn::ImportValue" not in text
        assert not [name for name, output in stack.template.get("Outputs", {}).items() if "Export" in output]
        read |= set(re.findall(r'"Fn::GetStackOutput": {"StackName": "connect-bridges-new-(\w+)"', text))
    assert read == {"alarms", "instance", "configuration", "voice", "chat", "biometrics"}
    outputs = created.get_stack_by_name("connect-bridges-new-instance").template["Outputs"]
    assert {"InstanceArn", "InstanceId", "ServiceRoleArn", "AccessUrl"} == set(outputs)


def test_what_is_kept_and_what_an_environment_lets_go(
    created: cdk.cx_api.CloudAssembly, environments: dict[str, Any]
) -> None:
    [center] = resources(created, "instance", "AWS::Connect::Instance").values()
    numbers = resources(created, "numbers", "AWS::Connect::PhoneNumber").values()
    assert [one["DeletionPolicy"] for one in (center, *numbers)] == ["RetainExceptOnCreate"] * 3

    settings = environments["new"]
    settings["instance"]["retain"] = settings["instance"]["numbers"]["Support"]["retain"] = False
    app = cdk.App(context=CONTEXT)
    build_stage(app, load_settings(environments, "new"))
    assembly = app.synth()
    gone = [
        *resources(assembly, "instance", "AWS::Connect::Instance").values(),
        *resources(assembly, "numbers", "AWS::Connect::PhoneNumber").values(),
    ]
    assert [one["DeletionPolicy"] for one in gone] == ["Delete", "Delete"]


def test_storage_associations_are_made_one_after_the_other(created: cdk.cx_api.CloudAssembly) -> None:
    made = resources(created, "configuration", "AWS::Connect::InstanceStorageConfig")
    assert len(made) == 6
    after = [set(one.get("DependsOn", [])) & set(made) for one in made.values()]
    assert sorted(map(len, after)) == [0, 1, 1, 1, 1, 1]
    assert len(set().union(*after)) == 5


def test_an_imported_environments_stacks_stand_alone(environments: dict[str, Any]) -> None:
    environments["prod"]["biometrics"] = {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN}
    app = cdk.App(context=CONTEXT)
    build_stage(app, load_settings(environments, "prod"))
    stacks = {stack.stack_name for stack in app.synth().stacks}
    assert stacks == {"connect-bridges-prod-voice", "connect-bridges-prod-biometrics"}
    for stack in app.synth().stacks:
        assert not [each.id for each in stack.dependencies if each.id in stacks]
        assert "Fn::GetStackOutput" not in json.dumps(stack.template)


@pytest.mark.parametrize("part", ["instance", "configuration", "numbers"])
def test_a_stack_of_a_created_instance_is_as_it_was_reviewed(shapes: Shapes, part: str) -> None:
    assert_contract(f"{part}-new", shapes.templates[f"connect-bridges-new-{part}"])


def templates(environments: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    app = cdk.App(context=CONTEXT)
    build_stage(app, load_settings(environments, name))
    return {
        stack.stack_name.removeprefix(f"connect-bridges-{name}-"): stack.template
        for stack in app.synth().stacks
    }


def test_an_environment_has_one_dashboard_and_one_topic(environments: dict[str, Any]) -> None:
    prod = environments["prod"]
    prod["chat"] = {"webhookUrl": "https://bot.example.com/hook", "queueArn": QUEUE_ARN}
    prod["biometrics"] = {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN}
    prod.pop("monitoring", None)
    before = templates(environments, "prod")
    prod["monitoring"] = {"alarmEmail": "on-call@example.com", "queues": ["Support"], "dashboardName": "prod"}
    made = templates(environments, "prod")

    def ids(template: dict[str, Any], kind: str) -> set[str]:
        return {name for name, one in template["Resources"].items() if one["Type"] == kind}

    assert set(made) == {*before, "alarms", "monitoring"}
    dashboards = {name: ids(one, "AWS::CloudWatch::Dashboard") for name, one in made.items()}
    assert {name for name, found in dashboards.items() if found} == {"monitoring"}
    assert {name for name, one in before.items() if ids(one, "AWS::CloudWatch::Dashboard")} == {
        "chat",
        "biometrics",
    }
    for name, one in before.items():
        kept = {key for key, each in one["Resources"].items() if each["Type"] != "AWS::CloudWatch::Dashboard"}
        assert kept == set(made[name]["Resources"]), name
    assert not [
        output for one in made.values() for output in one.get("Outputs", {}).values() if "Export" in output
    ]

    [topic] = ids(made["alarms"], "AWS::SNS::Topic")
    alarms = [
        each["Properties"]
        for one in made.values()
        for each in one["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    actions = {json.dumps(each.get("AlarmActions")) for each in alarms}
    assert len(actions) == 1
    [told] = json.loads(actions.pop())
    output = told["Fn::GetStackOutput"]
    assert output["StackName"] == "connect-bridges-prod-alarms"
    assert made["alarms"]["Outputs"][output["OutputName"]]["Value"] == {"Ref": topic}

    [board] = [made["monitoring"]["Resources"][name]["Properties"] for name in dashboards["monitoring"]]
    shown = json.dumps(board["DashboardBody"])
    assert board["DashboardName"] == "prod"
    for heading in ("voice/Metadata", "chat/Chat", "biometrics/Biometrics", "monitoring/Instance", "Queues"):
        assert f"## connect-bridges-prod-{heading}" in shown or f"## {heading}" in shown, heading
    watched = {each["AlarmDescription"].split(":")[0] for each in alarms}
    assert "QueueName Support" in watched
    assert len([each for each in watched if each.startswith("ContactFlowName connect-bridges prod")]) == 3


def test_a_topic_is_named_or_made(environments: dict[str, Any]) -> None:
    environments["prod"]["alarmTopicArn"] = "arn:aws:sns:us-east-1:123456789012:alarms"
    environments["prod"]["monitoring"] = {"alarmEmail": "on-call@example.com"}
    with pytest.raises(SettingsError, match=r"monitoring\.alarmEmail.*makes a topic, yet alarmTopicArn"):
        load_settings(environments, "prod")
    environments["prod"]["monitoring"] = {}
    assert set(templates(environments, "prod")) == {"voice", "monitoring"}


@pytest.mark.parametrize(
    ("chat", "complaint"),
    [
        (
            {"webhookUrl": "http://bot.example.com/", "queueArn": QUEUE_ARN},
            "environments.prod.chat.webhookUrl",
        ),
        ({"webhookUrl": "http://localhost:8765/", "queueArn": QUEUE_ARN}, "is on this machine"),
        (
            {
                "webhookUrl": "https://bot.example.com/",
                "queueArn": QUEUE_ARN.replace("11111111-2", "99999999-2"),
            },
            "chat.queueArn",
        ),
        ({"webhookUrl": "https://bot.example.com/"}, "environments.prod.chat.queueArn: is missing"),
    ],
)
def test_chat_settings_that_could_not_work_are_named(
    environments: dict[str, Any], chat: dict[str, Any], complaint: str
) -> None:
    environments["prod"]["chat"] = chat
    with pytest.raises(SettingsError, match=complaint):
        load_settings(environments, "prod")


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"telephony": {"number": "+12065550188", "apiUrl": "http://localhost:8765"}}, "telephony.apiUrl"),
        ({"provider": {"voiceitApiUrl": "http://127.0.0.1:8766"}}, "provider.voiceitApiUrl"),
        ({"publicUrl": "https://localhost:8767/prod"}, "publicUrl"),
    ],
)
def test_a_vendor_on_this_machine_is_for_rehearsals_only(
    environments: dict[str, Any], changed: dict[str, Any], key: str
) -> None:
    biometrics = {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN} | changed
    for environment in environments.values():
        environment["biometrics"] = biometrics
    assert load_settings(environments, "dev").biometrics
    with pytest.raises(SettingsError, match=rf"biometrics\.{key}: '.*' is on this machine; a protected"):
        load_settings(environments, "prod")


def test_biometrics_settings_that_could_not_work_are_named(environments: dict[str, Any]) -> None:
    environments["dev"]["biometrics"] = {
        "telephony": {"number": "2065550188"},
        "queueArn": QUEUE_ARN,
        "returnMode": "REDIAL",
    }
    with pytest.raises(
        SettingsError, match=r"environments\.dev\.biometrics\.telephony\.number: '2065550188'"
    ):
        load_settings(environments, "dev")


def test_what_a_construct_refuses_ends_the_app_with_its_message(
    environments: dict[str, Any], tmp_path: Path
) -> None:
    prod = json.loads(json.dumps(environments["prod"]).replace("us-east-1", "af-south-1"))
    context = {**CONTEXT, "env": "prod", "environments": {"prod": prod}}
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "connect-bridges-prod-voice/Connector: the stack's Region 'af-south-1' has no external"
    )
    assert "Traceback" not in done.stderr
