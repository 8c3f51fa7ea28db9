"""When to run this stack, what it costs and needs, and what to do past one server: `lab advise`."""
