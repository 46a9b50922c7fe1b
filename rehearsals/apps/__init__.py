"""CDK apps that scenarios deploy, run by the CDK as scripts."""
