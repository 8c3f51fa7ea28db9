"""The services of the stack, a file each: how it is configured, when it is ready, what it is asked."""
