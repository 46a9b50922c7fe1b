"""What this repository is made of and with: bills of materials (``make sbom``), known advisories (``make audit``)."""
