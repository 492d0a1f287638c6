"""Documents whose tags are all new."""

import falcon

from lxml import etree


def work(i):
    r = etree.fromstring(
        f"<order_{i}_tag_with_a_rather_long_name_{i}><a{i}/><b{i}/><c{i}/></order_{i}_tag_with_a_rather_long_name_{i}>"
    )
    return len(r)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
