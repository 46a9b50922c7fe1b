"""Imported by the server that runs are forked from: what botocore reads from its files is read once.

The functions' own state, such as clients and secrets, is made by each run itself.
"""

from __future__ import annotations

import os

from runtime.shared.clients import ServiceModel, client
from runtime.shared.service_models import (
    chime_sdk_voice,
    connect,
    dynamodb,
    iam,
    lambda_,
    logs,
    secretsmanager,
)
from tests.faults.process import LAMBDA

_SERVICES: tuple[ServiceModel, ...] = (
    chime_sdk_voice,
    connect,
    dynamodb,
    iam,
    lambda_,
    logs,
    secretsmanager,
)

os.environ.update(LAMBDA)
for _service in _SERVICES:
    client(_service, connect_timeout=1, read_timeout=1, attempts=1, region="us-east-1")
