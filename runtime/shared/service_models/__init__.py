"""botocore's descriptions of AWS services, cut down to the operations that the functions call.

A client begins by reading its service's whole description: 3 MB of JSON for Amazon Connect, of which ``chat.start``
needs two operations out of some 300, and 1 MB of endpoints. Cut down, chat.start's clients are made in a third of the
time, and the first call after a deployment waits less. Endpoint rules, signing and retries stay botocore's own.

The modules here are generated. After a change of OPERATIONS in ``__main__``, or of the botocore that the tests run
with, write them anew with ``python -m runtime.shared.service_models``; a test compares them with botocore's data.
"""
