"""The live page of a run: `lab run --web`. The parts of the report, growing; when the run ends, the report itself."""
