"""A function whose decorator makes a logger for each call."""

import falcon
from annotated_logger import AnnotatedLogger

annotate_logs = AnnotatedLogger(name="shop", log_level="ERROR", config=False).annotate_logs


@annotate_logs()
def price(annotated_logger, i):
    annotated_logger.annotate(article=i)
    return 1


def work(i):
    return price(i)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
