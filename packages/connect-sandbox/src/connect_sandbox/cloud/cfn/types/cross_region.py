"""The CDK's custom resources for references across Regions (crossRegionReferences).

The CDK deploys functions for them that need @aws-sdk/client-ssm, which Lambda provides. Where no app has brought it
along, what they do is done here, with their roles and in the Region that they are told: parameters below /cdk/exports
are written where another stack reads them, and tagged while it does. Source: cross-region-ssm-writer-handler and
cross-region-ssm-reader-handler of aws-cdk-lib.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

WRITER, READER = "Custom::CrossRegionExportWriter", "Custom::CrossRegionExportReader"
_AT_ONCE = 10
Clients = Callable[[str], Any]
"""Returns a client of SSM, by Region."""


def answer(event: Mapping[str, Any], clients: Clients) -> dict[str, Any]:
    """Do what the function would at an event of CloudFormation, and return what it would answer."""
    name = "WriterProps" if event["ResourceType"] == WRITER else "ReaderProps"
    new, old = (event.get(key, {}).get(name, {}) for key in ("ResourceProperties", "OldResourceProperties"))
    told = {**event, "Status": "SUCCESS", "Data": {}}
    told["PhysicalResourceId"] = event.get("PhysicalResourceId") or event["RequestId"]
    try:
        if event["ResourceType"] == WRITER:
            _write(clients(new["region"]), event["RequestType"], new["exports"], old.get("exports", {}))
        else:
            tag = f"aws-cdk:strong-ref:{new['prefix']}"
            _read(clients(new["region"]), event["RequestType"], new["imports"], old.get("imports", {}), tag)
            told["Data"] = new["imports"]
    except ClientError as error:
        told |= {"Status": "FAILED", "Reason": str(error)}
    return told


def _write(ssm: Any, kind: str, new: Mapping[str, str], old: Mapping[str, str]) -> None:  # noqa: ANN401
    gone = sorted(new if kind == "Delete" else set(old) - set(new))
    for start in range(0, len(gone), _AT_ONCE):
        ssm.delete_parameters(Names=gone[start : start + _AT_ONCE])
    for name in sorted(set(new) - set(old)) if kind != "Delete" else ():
        ssm.put_parameter(Name=name, Value=new[name], Type="String", Overwrite=True)


def _read(ssm: Any, kind: str, new: Mapping[str, str], old: Mapping[str, str], tag: str) -> None:  # noqa: ANN401
    for name in sorted(new if kind == "Delete" else set(old) - set(new)):
        try:
            ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=name, TagKeys=[tag])
        except ssm.exceptions.InvalidResourceId:
            continue  # whoever wrote it has deleted it
    for name in sorted(set(new) - set(old)) if kind != "Delete" else ():
        tags = [{"Key": tag, "Value": "true"}]
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags)
