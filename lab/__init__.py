"""The lab: breaks a real monitoring stack on purpose and proves that the break is seen and the fix works."""

__version__ = "0.1.0"
