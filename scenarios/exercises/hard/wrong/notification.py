"""Plausible, and wrong: it says that something is wrong, and not what."""


def slack(anomaly):
    return {"text": f":rotating_light: Anomaly in {anomaly.metric}! z = {anomaly.z}"}


def discord(anomaly):
    return slack(anomaly)
