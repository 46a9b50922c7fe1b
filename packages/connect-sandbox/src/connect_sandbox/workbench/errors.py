"""What goes wrong with an app in a sandbox."""

from connect_sandbox.cloud.errors import SandboxError


class WorkbenchError(SandboxError):
    """A command could not be carried out; the message says what to do."""


class DeploymentFailedError(WorkbenchError):
    """CloudFormation refused a template or failed; the message has the reasons by logical id."""
