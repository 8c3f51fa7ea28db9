"""Images of the stack's containers: which are used and why, and how to make them where no registry can be reached."""

from lab.images.choose import Chosen, choose, promtool, servers, startable
from lab.images.engine import Engine, connect

__all__ = ["Chosen", "Engine", "choose", "connect", "promtool", "servers", "startable"]
