"""The functions that are deployed: their code, configuration and resource policy, as Lambda holds them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import re
import shutil
import threading
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.lambda_versions import Layer, Versions
from connect_sandbox.cloud.quotas import CONCURRENT_EXECUTIONS, Quotas
from connect_sandbox.cloud.tolerance import Tolerance
from connect_sandbox.cloud.values import Member

#: Unzipped, a function may hold 250 MB (Lambda quotas).
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
MAX_LAYERS = 5
#: The runtimes of functions, as a regular expression, and what there is to say of others.
RUNTIMES = r"python3\.\d+|nodejs\d+\.x"
OF_RUNTIMES = "it runs python3.x and nodejsNN.x from a zip"
_FUNCTION_NAME = re.compile(
    r"^(?:arn:[\w-]+:lambda:[\w-]+:\d{12}:function:|\d{12}:)?([\w-]{1,140})(?::([\w$-]+))?$"
)


@dataclass
class LambdaFunction:
    """One function. Times are seconds, memory is MB; `code` is the zip."""

    name: str
    arn: str
    role: str
    runtime: str
    handler: str
    code: bytes
    timeout: int = 3
    memory: int = 128
    description: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    architectures: list[str] = field(default_factory=lambda: ["x86_64"])
    reserved_concurrency: int | None = None
    logging: dict[str, str] = field(default_factory=dict)
    tracing: str = "PassThrough"
    ephemeral_storage: int = 512
    tags: dict[str, str] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    vpc: dict[str, Any] = field(default_factory=dict)
    dead_letter_arn: str = ""
    version: str = "$LATEST"
    statements: list[dict[str, Any]] = field(default_factory=list)
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    last_modified: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __post_init__(self) -> None:
        """Refuse what this sandbox cannot run, by name."""
        if not re.fullmatch(RUNTIMES, self.runtime):
            raise NotEmulatedError(f"AWS::Lambda::Function Runtime={self.runtime}", OF_RUNTIMES)

    @property
    def code_sha256(self) -> str:
        """The zip's SHA-256 in base64, as the API shows it."""
        return base64.b64encode(hashlib.sha256(self.code).digest()).decode()

    @property
    def log_group(self) -> str:
        """The log group that the function writes to."""
        return self.logging.get("LogGroup") or f"/aws/lambda/{self.name}"

    @property
    def fingerprint(self) -> str:
        """What, when it changes, makes the running copies stale: code and configuration."""
        parts = (
            self.code_sha256, self.handler, self.runtime, self.role, self.timeout, self.memory,
            sorted(self.environment.items()), sorted(self.logging.items()), self.layers,
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def copy_name(self) -> str:
        """The name under which running copies are kept: each version has its own."""
        return self.name if self.version == "$LATEST" else f"{self.name}:{self.version}"

    @property
    def policy(self) -> dict[str, Any]:
        """The resource policy as a policy document."""
        return {"Version": "2012-10-17", "Id": "default", "Statement": list(self.statements)}

    def touch(self) -> None:
        """Note a change: a new revision, a new modification time."""
        self.revision = str(uuid.uuid4())
        self.last_modified = dt.datetime.now(dt.UTC)

    def configuration(self) -> dict[str, Any]:
        """Return the FunctionConfiguration structure of the API."""
        return {
            "FunctionName": self.name,
            "FunctionArn": self.arn,
            "Runtime": self.runtime,
            "Role": self.role,
            "Handler": self.handler,
            "CodeSize": len(self.code),
            "Description": self.description,
            "Timeout": self.timeout,
            "MemorySize": self.memory,
            "LastModified": self.last_modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "CodeSha256": self.code_sha256,
            "Version": self.version,
            "Environment": {"Variables": self.environment},
            "TracingConfig": {"Mode": self.tracing},
            "RevisionId": self.revision,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": self.architectures,
            "EphemeralStorage": {"Size": self.ephemeral_storage},
            "LoggingConfig": {"LogFormat": "Text", **self.logging, "LogGroup": self.log_group},
            "Layers": [{"Arn": arn} for arn in self.layers],
            "VpcConfig": self.vpc,
        }


class LambdaState:
    """The functions of the account, and their zips unpacked once per code hash."""

    def __init__(self, account: str, region: str, work_dir: Path, quotas: Quotas | None = None) -> None:
        """`work_dir` receives a folder per code hash. `quotas` are the account's; by default AWS's defaults."""
        self._quotas = quotas or Quotas()
        self.account = account
        self.region = region
        self._work_dir = work_dir
        self._lock = threading.RLock()
        self._functions: dict[str, LambdaFunction] = {}
        self._layers: dict[str, Layer] = {}
        self._layer_numbers: dict[str, int] = {}
        self.versions = Versions()
        self.tolerance = Tolerance()

    def create(self, **settings: Member) -> LambdaFunction:
        """Add a function; raise ResourceConflictException when the name is taken."""
        name = settings["name"]
        with self._lock:
            if name in self._functions:
                raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
            self._quotas.check_reservation(settings.get("reserved_concurrency") or 0, self.reserved())
            function = LambdaFunction(
                arn=f"arn:aws:lambda:{self.region}:{self.account}:function:{name}", **settings
            )
            self.unpack(function)
            self.opt(function)
            self._functions[name] = function
        return function

    def update(self, name: str, **changes: Member) -> LambdaFunction:
        """Change a function's code or configuration; running copies are replaced at the next invocation."""
        with self._lock:
            function = self.get(name)
            if changes.get("reserved_concurrency"):
                others = self.reserved() - (function.reserved_concurrency or 0)
                self._quotas.check_reservation(changes["reserved_concurrency"], others)
            for attribute, value in changes.items():
                setattr(function, attribute, value)
            function.__post_init__()
            self.unpack(function)
            self.opt(function)
            function.touch()
        return function

    def delete(self, name: str) -> None:
        """Remove a function."""
        with self._lock:
            del self._functions[self.get(name).name]
            self.versions.forget(name)

    def get(self, name_or_arn: str) -> LambdaFunction:
        """Return the function by name, partial or full ARN; raise ResourceNotFoundException if there is none."""
        self.tolerance.check(name_or_arn, lambda: "an invocation")
        found = _FUNCTION_NAME.match(name_or_arn)
        if found is None:
            raise AwsError("ValidationException", f"{name_or_arn!r} is not a function name or ARN")
        function = self._functions.get(found[1])
        if function is None or (name_or_arn.startswith("arn:") and not name_or_arn.startswith(function.arn)):
            arn = f"arn:aws:lambda:{self.region}:{self.account}:function:{found[1]}"
            wanted = name_or_arn if name_or_arn.startswith("arn:") else arn
            raise AwsError("ResourceNotFoundException", f"Function not found: {wanted}", 404)
        if found[2] in {None, "$LATEST"}:
            return function
        meant = self.versions.find(function, found[2])
        if meant is None:
            raise AwsError("ResourceNotFoundException", f"Function not found: {function.arn}:{found[2]}", 404)
        return meant

    def find(self, arn: str) -> LambdaFunction | None:
        """Return what has exactly this ARN: a function, a version or an alias; None if nothing has."""
        try:
            found = self.get(arn)
        except AwsError:
            return None
        return found if found.arn == arn else None

    def add_layer(self, name: str, code: bytes, description: str = "") -> Layer:
        """Add a version of a layer."""
        with self._lock:
            number = self._layer_numbers.get(name, 0) + 1
            self._layer_numbers[name] = number
            arn = f"arn:aws:lambda:{self.region}:{self.account}:layer:{name}:{number}"
            layer = Layer(arn, code, description)
            folder = self._folder(code)
            if (folder / "extensions").is_dir():
                raise NotEmulatedError(
                    f"the extensions of the layer {name}", "no process runs beside a function's"
                )
            self._layers[arn] = layer
        return layer

    def delete_layer(self, arn: str) -> None:
        """Delete a version of a layer; functions that have it keep what they unpacked."""
        self._layers.pop(arn, None)

    def opt(self, function: LambdaFunction) -> Path | None:
        """Return the folder with the function's layers, one over the other in their order; None without layers."""
        if not function.layers:
            return None
        if len(function.layers) > MAX_LAYERS:
            message = f"Cannot reference more than {MAX_LAYERS} layers."
            raise AwsError("InvalidParameterValueException", message)
        missing = [arn for arn in function.layers if arn not in self._layers]
        name = hashlib.sha256(repr(function.layers).encode()).hexdigest()[:32]
        target = self._work_dir / f"opt-{name}"
        with self._lock:
            if target.exists():
                return target
            if missing:
                raise NotEmulatedError(
                    f"the layer {missing[0]}",
                    "it has the layers that its stacks make; put what the layer holds into one of them",
                )
            partial = target.with_name(f"{target.name}.partial")
            for arn in function.layers:
                shutil.copytree(self._folder(self._layers[arn].code), partial, dirs_exist_ok=True)
            partial.rename(target)
        return target

    def all(self) -> list[LambdaFunction]:
        """Return every function, by name."""
        return [self._functions[name] for name in sorted(self._functions)]

    def reserved(self) -> int:
        """Return how many concurrent executions the functions have reserved for themselves."""
        return sum(function.reserved_concurrency or 0 for function in self.all())

    def unreserved(self) -> int:
        """Return how many concurrent executions the functions without a reservation share."""
        return int(self._quotas.value(CONCURRENT_EXECUTIONS)) - self.reserved()

    def account_limit(self) -> dict[str, int]:
        """Return the AccountLimit structure of GetAccountSettings."""
        return {
            "TotalCodeSize": 75 * 1024**3,
            "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
            "CodeSizeZipped": 50 * 1024**2,
            "ConcurrentExecutions": int(self._quotas.value(CONCURRENT_EXECUTIONS)),
            "UnreservedConcurrentExecutions": self.unreserved(),
        }

    def unpack(self, function: LambdaFunction) -> Path:
        """Return the folder that holds the function's unzipped code; unzip it if this is the first use."""
        return self._folder(function.code)

    def _folder(self, code: bytes) -> Path:
        target = self._work_dir / hashlib.sha256(code).hexdigest()[:32]
        with self._lock:
            if not target.exists():
                _unzip(code, target)
        return target


def _unzip(code: bytes, target: Path) -> None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(code))
    except zipfile.BadZipFile as error:
        message = "Could not unzip uploaded file. Please check your file, then try to upload again."
        raise AwsError("InvalidParameterValueException", message) from error
    with archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_UNZIPPED_BYTES:
            message = f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes"
            raise AwsError("InvalidParameterValueException", message)
        partial = target.with_name(target.name + ".partial")
        archive.extractall(partial)
        for entry in archive.infolist():
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                (partial / entry.filename).chmod(mode | 0o400)
        partial.rename(target)
