"""What moto's CloudWatch Logs lacks: keys of log groups, which Logs must be allowed to use."""

from __future__ import annotations

import json

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.aws_service import AwsService, error_response
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.moto_internals import set_log_group_key

_OURS = frozenset({"AssociateKmsKey", "DisassociateKmsKey"})


class LogsApi(AwsService):
    """Serves the operations on keys of log groups; everything else is moto's."""

    service_name = "logs"
    invalid_parameter_code = "InvalidParameterException"

    def __init__(self, faults: Faults, authorization: Authorization, account: str, region: str) -> None:
        """Take `authorization`, which knows what the policy of a key allows."""
        super().__init__(faults)
        self._authorization = authorization
        self._account = account
        self._region = region

    def early(self, request: HttpRequest) -> HttpResponse | None:
        """Respond to what this fake serves; None leaves the request to moto."""
        operation = request.headers.get("X-Amz-Target").rsplit(".", 1)[-1]
        if operation == "CreateLogGroup":
            return self._refuse_key(request)
        return self.handle(request) if operation in _OURS else None

    def associate_kms_key(self, kms_key_id: str, log_group_name: str) -> None:
        """Encrypt what is written from now on."""
        self._authorization.require_logs_may_use(kms_key_id, log_group_name)
        self._set(log_group_name, kms_key_id)

    def disassociate_kms_key(self, log_group_name: str) -> None:
        """Leave the group without a key of its own."""
        self._set(log_group_name, None)

    def _refuse_key(self, request: HttpRequest) -> HttpResponse | None:
        """Return the refusal of a key that Logs may not use; None if moto may create the group."""
        wanted = json.loads(request.body or b"{}")
        try:
            if wanted.get("kmsKeyId"):
                self._authorization.require_logs_may_use(wanted["kmsKeyId"], wanted.get("logGroupName", ""))
        except AwsError as error:
            return error_response(error, "json")
        return None

    def _set(self, group: str, key: str | None) -> None:
        if not set_log_group_key(self._account, self._region, group, key):
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
