"""What README and docs show of the constructs works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from tests.support import CONNECTOR_ARN, INSTANCE_ARN, QUEUE_ARN, ROOT

SNIPPETS = {
    "README.md": "AWS::Connect::ContactFlowModule",
    "docs/constructs/options.md": "AWS::EC2::VPC",
    "docs/constructs/contact-center.md": "AWS::Connect::Queue",
    "docs/constructs/metadata-bridge.md": "AWS::ApiGateway::RestApi",
    "docs/constructs/external-voice-transfer.md": "AWS::Connect::ContactFlowModule",
    "docs/constructs/external-voice-connector.md": "Custom::ExternalVoiceConnector",
    "docs/constructs/chat-stream-bridge.md": "AWS::SNS::Subscription",
    "docs/constructs/voice-biometric-gate.md": "AWS::Connect::ContactFlow",
}


@pytest.mark.parametrize("document", SNIPPETS)
def test_the_first_example_of_a_document_synthesizes(document: str, stack: cdk.Stack) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert code, f"{document} shows no Python"
    namespace: dict[str, Any] = {
        "self": stack,
        "instance_arn": INSTANCE_ARN,
        "queue_arn": QUEUE_ARN,
        "connector_arn": CONNECTOR_ARN,
        "webhook_url": "https://bot.example.com/hook",
    }
    before = "from connect_bridges import ConnectInstance, MetadataBridge\n"
    if "instance =" not in code[1]:
        before += "instance = ConnectInstance.from_arn(self, 'Instance', instance_arn)\n"
    if "metadata=bridge" in code[1]:
        before += "bridge = MetadataBridge(self, 'Metadata', instance=instance)\n"

    exec(compile(before + code[1], str(Path(document)), "exec"), namespace)  # noqa: S102 (our own documents)

    types = [r["Type"] for r in assertions.Template.from_stack(stack).to_json()["Resources"].values()]
    assert SNIPPETS[document] in types
