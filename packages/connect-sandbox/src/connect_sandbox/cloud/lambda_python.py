"""Starts AWS's runtime interface client (awslambdaric) in a Python function's own process.

What /var/runtime/bootstrap.py is in Lambda. Run with `python -I -S`, which leaves the standard library on the path and
nothing else: this file adds the folder of the zip and, behind it, the packages that Lambda provides.

Arguments: HANDLER, TASK_ROOT, RUNTIME_DIR, and OPT if the function has layers.
The client itself reads AWS_LAMBDA_RUNTIME_API from the environment.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_ARGUMENTS = (4, 5)


def main(handler: str, task_root: str, runtime_dir: str, opt: str = "") -> None:
    """Serve invocations of the handler until the process is killed."""
    sys.path.insert(0, runtime_dir)
    before = set(sys.modules)
    from awslambdaric import bootstrap  # noqa: PLC0415  (now it can be found)
    from awslambdaric.lambda_config import LambdaConfigProvider  # noqa: PLC0415
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient  # noqa: PLC0415

    # The client keeps its own simplejson; the function gets the one in its zip, if there is one.
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "simplejson":
            del sys.modules[name]
    release = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):  # in a sandbox
        sys.meta_path.insert(0, PlainAnswers(endpoint))
    layers = [f"{opt}/python/lib/{release}/site-packages", f"{opt}/python"] if opt else []
    sys.path[:0] = [task_root, *layers]
    sys.argv = [""]
    config = LambdaConfigProvider(["", handler])
    bootstrap.run(config.handler, LambdaRuntimeClient(config.api_address, config.use_thread_polling))


class PlainAnswers:
    """Lets code that answers CloudFormation use https: a finder that changes `http.client` when it is imported.

    CloudFormation's ResponseURL is an https URL, and code relies on that (crhelper does); here it is one of the
    sandbox's, which has no certificate that anybody would trust.
    """

    def __init__(self, endpoint_url: str) -> None:
        """`endpoint_url` is the sandbox's, http://HOST:PORT."""
        self._sandbox = endpoint_url.partition("://")[2]

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what Python would find, with the change to be made when it is loaded; None for other modules."""
        if name != "http.client":
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_change(module: ModuleType) -> None:
                load(module)
                self.change(module)

            spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec

    def change(self, module: Any) -> None:  # noqa: ANN401  (http.client)
        """Have connections to the sandbox without TLS."""
        securely = module.HTTPSConnection.connect

        def connect(connection: Any) -> None:  # noqa: ANN401  (an HTTPSConnection)
            plain = f"{connection.host}:{connection.port}" == self._sandbox
            (module.HTTPConnection.connect if plain else securely)(connection)

        module.HTTPSConnection.connect = connect


if __name__ == "__main__":
    if len(sys.argv) not in _ARGUMENTS:
        sys.exit("usage: lambda_python.py HANDLER TASK_ROOT RUNTIME_DIR [OPT]")
    main(*sys.argv[1:])
