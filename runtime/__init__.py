"""Code that runs in AWS Lambda: one package per construct, Powertools and boto3 only, never CDK.

========================  ==============================================================================
``metadata``              three functions that carry metadata from an external voice system back to
                          the Amazon Connect flow that transferred the contact there
``voice``                 the custom resource ``Custom::ExternalVoiceConnector``: creates, updates and
                          removes an external voice transfer connector
``shared``                what the functions share: logging, metrics, environment, errors, AWS clients
========================  ==============================================================================

In a function's zip this package lies as it lies here, cut down to the modules that the
function's handler imports, beside the packages of ``requirements.txt``. boto3 comes with the Lambda
runtime. To keep that cut small, no ``__init__`` below this one imports anything.
"""
