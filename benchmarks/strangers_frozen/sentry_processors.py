"""A propagator that makes its span processor anew for each call it is injected into."""

import falcon
import sentry_sdk
from opentelemetry import trace
from opentelemetry.trace.propagation import set_span_in_context
from sentry_sdk.integrations.opentelemetry.integration import OpenTelemetryIntegration
from sentry_sdk.integrations.opentelemetry.propagator import SentryPropagator

sentry_sdk.init(dsn=None, traces_sample_rate=1.0)
OpenTelemetryIntegration.setup_once()
tracer = trace.get_tracer(__name__)
propagator = SentryPropagator()


def work(i):
    for _ in range(3):
        with tracer.start_as_current_span("call") as span:
            propagator.inject({}, set_span_in_context(span))
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
