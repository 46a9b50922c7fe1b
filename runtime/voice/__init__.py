"""The custom resource Custom::ExternalVoiceConnector: a transfer connector and its association in Connect."""
