"""Where services run: one Protocol, one file for each kind of runtime."""

from lab.runtime.protocol import Running, Runtime, ServiceSpec, VolumeSpec

__all__ = ["Running", "Runtime", "ServiceSpec", "VolumeSpec"]
