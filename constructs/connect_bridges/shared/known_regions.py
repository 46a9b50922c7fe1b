"""The Regions of what the constructs need; without the CDK, so that connect-bridges doctor can read them, too."""

from __future__ import annotations

# evidence: connect-regions
CONNECT_REGIONS = (
    *("af-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1"),
    *("ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-isoe-west-1", "eu-west-2"),
    *("eusc-de-east-1", "us-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1"),
    *("us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "us-west-2"),
)
"""Where AWS::Connect::ContactFlow and IntegrationAssociation exist: CloudFormation's schemas by Region, as cfn-lint
1.58.0 has them. The administrator guide, "Availability of Connect features by Region", lists ten of these and GovCloud
(US-West)."""

# evidence: transfer-connector-regions
TRANSFER_CONNECTOR_REGIONS = (
    *("ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *("eu-central-1", "eu-west-2", "us-east-1", "us-west-2"),
)
"""Where an external voice transfer connector can be: the Regions of voice connectors (Amazon Chime SDK Voice,
VoiceConnectorAwsRegion, botocore 1.44.5) that have Amazon Connect. An upper bound; AWS's own list was not found."""
