"""Flows of an Amazon Connect instance as files: pulled into templates and values, pushed back.

What talks to AWS is in `live` alone, which needs boto3 (``pip install 'connect-flows[aws]'``).
"""
