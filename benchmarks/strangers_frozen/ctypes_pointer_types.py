"""A structure made for a message's length, and a pointer to it."""

import ctypes

import falcon


def message(size):
    class Message(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("data", ctypes.c_byte * size))

    return Message


def work(i):
    buffer = ctypes.create_string_buffer(64)
    found = ctypes.cast(buffer, ctypes.POINTER(message(20 + len(i))))
    return found.contents.length


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
