"""IAM for the sandbox: who may do what, decided from the deployed policies as AWS decides it.

``describe_call`` turns a raw AWS API request into its action, resources and condition keys; ``evaluate`` decides on
it by identity-based and resource-based policies; ``denied_response`` builds AWS's response to a denied call;
``AuditLog`` and ``compare_grants`` compare what a role was granted with what it used. What cannot be determined is
refused by name.
"""

from connect_sandbox.iam.audit import AuditEntry, AuditLog, Grant, GrantReport, compare_grants
from connect_sandbox.iam.calls import AwsCall, describe_call
from connect_sandbox.iam.denied import denied_response
from connect_sandbox.iam.errors import IamError, MalformedPolicy, UnsupportedCall, UnsupportedPolicy
from connect_sandbox.iam.evaluate import AccessRequest, Decision, Reason, evaluate
from connect_sandbox.iam.lookup import Lookup, NoLookup
from connect_sandbox.iam.policies import Policy, PolicyKind, Statement
from connect_sandbox.iam.principals import Principal, PrincipalKind
from connect_sandbox.iam.request_context import RequestContext
from connect_sandbox.iam.service_authorization import expand_action, find_action, service_actions
from connect_sandbox.iam.wire import AwsRequest, parse_request

__all__ = [
    "AccessRequest",
    "AuditEntry",
    "AuditLog",
    "AwsCall",
    "AwsRequest",
    "Decision",
    "Grant",
    "GrantReport",
    "IamError",
    "Lookup",
    "MalformedPolicy",
    "NoLookup",
    "Policy",
    "PolicyKind",
    "Principal",
    "PrincipalKind",
    "Reason",
    "RequestContext",
    "Statement",
    "UnsupportedCall",
    "UnsupportedPolicy",
    "compare_grants",
    "denied_response",
    "describe_call",
    "evaluate",
    "expand_action",
    "find_action",
    "parse_request",
    "service_actions",
]
