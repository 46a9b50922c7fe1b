"""The smallest CDK app in Python that deploys something: one SNS topic. What synthesis is measured against."""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns

app = cdk.App()
sns.Topic(cdk.Stack(app, "smallest"), "Topic")
app.synth()
