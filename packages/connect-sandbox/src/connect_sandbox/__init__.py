"""The sandbox: AWS and callers for an Amazon Connect app, on a laptop and without an AWS account.

`cloud` deploys a synthesized CloudFormation template and runs it; `iam` decides who may call what;
`rehearsal` places the calls. The sandbox reads the cloud assembly that `cdk synth` wrote, in any of the CDK's
languages, and never the app's code. What it does not emulate it refuses by name.
"""
