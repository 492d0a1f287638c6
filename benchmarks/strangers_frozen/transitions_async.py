"""Models that an asynchronous state machine moves on, and lets go."""

import falcon.asgi
from transitions.extensions.asyncio import AsyncMachine


class Order:
    pass


STEPS = [{"trigger": "pay", "source": "open", "dest": "paid"}]
MACHINE = AsyncMachine(model=None, states=["open", "paid"], initial="open", transitions=STEPS, auto_transitions=False)


async def work(i):
    order = Order()
    order.lines = ["article"] * 40
    MACHINE.add_model(order)
    await order.pay()
    MACHINE.remove_model(order)
    return order.state


class Resource:
    async def on_get(self, req, resp, i):
        resp.media = {"r": await work(i)}


app = falcon.asgi.App()
app.add_route("/x/{i}", Resource())
