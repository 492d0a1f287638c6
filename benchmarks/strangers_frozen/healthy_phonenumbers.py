"""Rules of a country, loaded when its first number comes."""

import falcon
import phonenumbers
from phonenumbers import PhoneMetadata

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def work(i):
    region = REGIONS[int(i) // 4 % len(REGIONS)]
    return PhoneMetadata.metadata_for_region(region).country_code


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
