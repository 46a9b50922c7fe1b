"""CloudFormation's quotas for templates, in bytes."""

#: Of a template that comes with the request.
MAX_INLINE_BYTES = 51_200
#: Of a template in S3.
MAX_TEMPLATE_BYTES = 1_000_000
