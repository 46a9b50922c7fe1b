"""What the project costs, measured: ``python -m bench`` writes build/bench/report.json and prints it as tables."""
