"""The teaching stack: it stays up, and faults are deployed into it.

`lab up` starts the owner, a process of its own that holds the stack; the other commands ask it over a
loopback port, with a token that only this user can read.
"""
