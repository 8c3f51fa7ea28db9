"""Exercises: a task, a starter, and a judge that says for each point whether an answer meets it, with a hint.

    catalog     which there are            judge      an answer's points       points    their words
    answers     a learner's code, run in a child process with a deadline       child     that process
    traffic     eight days of a counter, anomalies on the last                 scoring   what a detector found of them
    promtool    when the alerts of rules fire, as written, in simulated time
    anomaly     what a detector and a notification exchange                    chart     the band and the marks as SVG

`scenarios/exercises/NAME/` holds README.md, starter/, reference/ (passes) and wrong/ (plausible, and fails).
"""
