"""All metrics: errors, what the cache answers, dollars, and the calls that the provider still allows."""

from lab.rag.metrics import Metrics

__all__ = ["Metrics"]
