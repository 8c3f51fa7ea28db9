"""What runs inside the Locust process: what a locustfile may ask, and live figures. The lab never imports it."""
