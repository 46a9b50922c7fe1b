"""The EC2 API, as far as the CDK asks for it: zones, and the rules of the default security group of a new VPC.

Networks are recorded without effect (connect_sandbox.cloud.cfn.types.recorded), and so are rules.
"""

from __future__ import annotations

from typing import Any

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.values import Member


class Ec2Api(AwsService):
    """Serves the few operations."""

    service_name = "ec2"
    invalid_parameter_code = "InvalidParameterValue"

    def __init__(self, faults: Faults, region: str) -> None:
        """`region` has three zones."""
        super().__init__(faults)
        self._region = region

    def describe_availability_zones(self, **_request: Member) -> dict[str, Any]:
        """List three zones."""
        zones = [
            {
                "ZoneName": f"{self._region}{letter}",
                "ZoneId": f"{self._region}-az{number}",
                "RegionName": self._region,
                "State": "available",
                "ZoneType": "availability-zone",
                "OptInStatus": "opt-in-not-required",
            }
            for number, letter in enumerate("abc", 1)
        ]
        return {"AvailabilityZones": zones}

    def authorize_security_group_ingress(self, **_request: Member) -> dict[str, Any]:
        """Take a rule, which has no effect."""
        return {"Return": True}

    def authorize_security_group_egress(self, **_request: Member) -> dict[str, Any]:
        """Take a rule, which has no effect."""
        return {"Return": True}

    def revoke_security_group_ingress(self, **_request: Member) -> dict[str, Any]:
        """Drop a rule, which had no effect."""
        return {"Return": True}

    def revoke_security_group_egress(self, **_request: Member) -> dict[str, Any]:
        """Drop a rule, which had no effect."""
        return {"Return": True}
