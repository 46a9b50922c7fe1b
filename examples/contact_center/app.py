"""A contact centre from nothing: an instance, a telephone number, and a flow that brings callers to agents."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from connect_bridges import ContactCenter, ContactFlow, OpeningHours

from constructs import Construct


class Support(cdk.Stack):
    """The support line of a company, open on weekdays."""

    def __init__(self, scope: Construct, id: str, *, env: cdk.Environment) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, env=env)
        # The instance is the contact centre itself; nobody else in the world may have its alias.
        center = ContactCenter(self, "Center", alias="example-company-support")
        center.add_call_recordings(expire_after=cdk.Duration.days(90))
        center.add_contact_records_stream()
        center.add_agent_events_stream()

        # Callers wait in a queue, which is open at certain hours.
        hours = center.add_hours(
            "Weekdays", time_zone="America/New_York", hours=OpeningHours.weekdays("09:00", "17:00")
        )
        queue = center.add_queue("Support", hours=hours)

        # An agent serves queues, and may do what a security profile permits.
        agents = center.add_routing_profile("Agents", queues=[queue])
        permits = center.add_security_profile(
            "Support agents", permissions=["BasicAgentAccess", "OutboundCallAccess"]
        )
        center.add_user(
            "Ana",
            username="ana",
            first_name="Ana",
            last_name="Silva",
            routing_profile=agents,
            security_profiles=[permits],
        )

        # A flow says what a caller hears; a number leads to it.
        line = ContactFlow(
            self,
            "Line",
            instance=center,
            template=Path(__file__).parent / "flows/weekday_line.json",
            values={"QueueArn": queue.arn},
        )
        number = center.claim_number("Line", country_code="US", flow=line)
        cdk.CfnOutput(self, "Number", value=number.name)


app = cdk.App()
Support(app, "contact-center-support", env=cdk.Environment(account="123456789012", region="us-east-1"))
app.synth()
