"""What can go wrong, as one tree; the exit code belongs to the class.

LabError                      3   infrastructure: could not start, could not measure
├── StartError                3   a service did not become ready
├── LoadError                 3   the traffic generator did not start
├── OverTime                  3   the run was not over when its time was (`--max-wall`)
└── UsageError                2   bad usage or a bad input file: one line that names file, place, remedy
    ├── ScenarioError         2   a scenario is unknown, outside its folder, or does not load
    └── RulesError            2   a rules or configuration file that the real server's tool refuses
"""

from __future__ import annotations


class LabError(Exception):
    """The lab could not do or measure something; the message is one line for the user."""

    exit_code = 3


class StartError(LabError):
    """A service died or did not become ready in time."""


class LoadError(LabError):
    """The traffic generator could not be started or ended early."""


class OverTime(LabError):  # noqa: N818 - named after what happened
    """The time that the user gave a run is over."""


class UsageError(LabError):
    """What the user gave is wrong; the message names it and the remedy."""

    exit_code = 2


class ScenarioError(UsageError):
    """A scenario that is unknown, outside its folder, or does not load."""


class RulesError(UsageError):
    """A rules or configuration file that the real server's own tool refuses."""
