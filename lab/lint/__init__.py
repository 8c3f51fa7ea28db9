"""One file for each rule of `lab lint`."""
