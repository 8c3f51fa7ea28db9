"""A mock RAG service that is monitored as a production service would be; run it with `python -m lab.rag`."""

SERVICE = "rag"
VERSION = "1.0.0"
