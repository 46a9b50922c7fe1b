"""The sandbox: what stands in for AWS, and for callers, when an app is rehearsed on a laptop.

`cloud` deploys what `cdk synth` wrote and runs it; `iam` decides who may call what; `rehearsal` places the calls. The
sandbox knows the synthesized cloud assembly and the flow language, never the constructs. What it cannot stand in for
it refuses by name.
"""
