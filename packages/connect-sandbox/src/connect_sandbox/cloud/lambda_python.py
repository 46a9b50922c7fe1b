"""Starts AWS's runtime interface client (awslambdaric) in a Python function's own process.

What /var/runtime/bootstrap.py is in Lambda. Run with `python -I -S`, which leaves the standard library on the path and
nothing else: this file adds the folder of the zip and, behind it, the packages that Lambda provides.

Arguments: HANDLER, TASK_ROOT, RUNTIME_DIR, and OPT if the function has layers.
The client itself reads AWS_LAMBDA_RUNTIME_API from the environment.
"""

from __future__ import annotations

import sys

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
    layers = [f"{opt}/python/lib/{release}/site-packages", f"{opt}/python"] if opt else []
    sys.path[:0] = [task_root, *layers]
    sys.argv = [""]
    config = LambdaConfigProvider(["", handler])
    bootstrap.run(config.handler, LambdaRuntimeClient(config.api_address, config.use_thread_polling))


if __name__ == "__main__":
    if len(sys.argv) not in _ARGUMENTS:
        sys.exit("usage: lambda_python.py HANDLER TASK_ROOT RUNTIME_DIR [OPT]")
    main(*sys.argv[1:])
