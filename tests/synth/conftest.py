"""One synthesis per environment for all tests of this folder: synthesis costs seconds, assertions do not."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

import aws_cdk as cdk
from aws_cdk import assertions
from cdk_nag import AwsSolutionsChecks
from connect_bridges import ConnectInstance

from stacks.settings import load_settings
from stacks.stage import build_stage
from tests.support import CONTEXT, INSTANCE_ARN
from tests.synth.shapes import Shapes, synthesize


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.synth)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], cdk.cx_api.CloudAssembly]:
    """Return the cloud assembly of an environment of cdk.json, cdk-nag's AwsSolutions pack included."""

    @cache
    def synthesize(env: str) -> cdk.cx_api.CloudAssembly:
        app = cdk.App(context=CONTEXT, outdir=str(tmp_path_factory.mktemp(env)))
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
        build_stage(app, load_settings(CONTEXT["environments"], env))
        return app.synth()

    return synthesize


@pytest.fixture(scope="session")
def template(assembly: Callable[[str], cdk.cx_api.CloudAssembly]) -> Callable[[str], assertions.Template]:
    """Return the voice stack's template of an environment."""

    @cache
    def read(env: str) -> assertions.Template:
        return assertions.Template.from_json(
            assembly(env).get_stack_by_name(f"connect-bridges-{env}-voice").template
        )

    return read


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Shapes:
    """Return every shape of what this repository deploys, and what cdk-nag's packs found in them."""
    return synthesize(tmp_path_factory.mktemp("shapes"))


@pytest.fixture
def stack() -> cdk.Stack:
    """Return an empty stack of somebody else's app."""
    return cdk.Stack(
        cdk.App(context={"@aws-cdk/core:validateAgainstDefaultRules": True}),
        "users-stack",
        env=cdk.Environment(account="123456789012", region="us-east-1"),
    )


@pytest.fixture
def instance(stack: cdk.Stack) -> ConnectInstance:
    return ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
