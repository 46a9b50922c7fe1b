"""A fake of CloudFormation: templates, the deployment engine, its API, and the resource types it knows."""
