"""An anomaly (see lab/exercises/anomaly.py) as a message. Nothing is sent: return the body of the webhook's request."""


def slack(anomaly):
    return {"text": f"something is wrong with {anomaly.metric}"}


def discord(anomaly):
    return {"content": f"something is wrong with {anomaly.metric}"}
