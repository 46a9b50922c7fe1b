"""Code that runs in AWS Lambda: one package per construct, Powertools and botocore only, never CDK.

========================  ==============================================================================
``metadata``              three functions that carry metadata from an external voice system back to
                          the Amazon Connect flow that transferred the contact there
``voice``                 the custom resource ``Custom::ExternalVoiceConnector``: creates, updates and
                          removes an external voice transfer connector
``chat``                  streams a chat to an external bot, and watches the age of the vendor's keys
``biometrics``            a gate that callers pass by their voice
``shared``                what the functions share: logging, metrics, environment, errors, AWS clients,
                          secrets under rotation, HTTP
========================  ==============================================================================

A function's zip holds this package with the same paths, cut down to the modules that the
function's handler imports, beside the packages of ``requirements.txt``. botocore comes with the Lambda
runtime (as part of boto3). To keep that cut small, no ``__init__`` below this one imports anything.
"""
