"""What the three functions of the metadata bridge decide, free of Lambda's and AWS's calling conventions."""
