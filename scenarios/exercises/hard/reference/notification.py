"""An anomaly as a message, for both kinds of incoming webhook."""

import time


def _said(anomaly):
    direction = "more" if anomaly.value > anomaly.expected else "less"
    return {
        "Value": f"{anomaly.value:.2f}, {direction} than usual",
        "Expected": f"{anomaly.expected:.2f}",
        "Normal band": f"{anomaly.low:.2f} to {anomaly.high:.2f}",
        "z-score": f"{anomaly.z:+.1f}",
        "Since": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(anomaly.time)),
        "Runbook": anomaly.runbook_url,
    }


def slack(anomaly):
    metric = anomaly.metric.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    lines = "\n".join(f"*{name}:* {text}" for name, text in _said(anomaly).items())
    title = f"Anomaly: {metric}"
    return {"text": title, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{title}*\n{lines}"}}]}


def discord(anomaly):
    fields = [{"name": name, "value": text, "inline": True} for name, text in _said(anomaly).items()]
    return {
        "content": f"Anomaly: {anomaly.metric}",
        "embeds": [{"fields": fields}],
        "allowed_mentions": {"parse": []},
    }
