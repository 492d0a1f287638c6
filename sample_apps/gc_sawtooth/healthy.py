"""Floor plans: rooms know their doors, and doors their rooms."""

from __future__ import annotations

import hashlib
import itertools
from collections import OrderedDict, deque

import falcon

ROOMS = 24
PLANS = 40


class Room:
    """A room, with the doors in its walls."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.doors: list[Door] = []


class Door:
    """A door between two rooms, known to both."""

    def __init__(self, one: Room, other: Room) -> None:
        self.rooms = (one, other)
        one.doors.append(self)
        other.doors.append(self)


def plan_of(building: str) -> list[Room]:
    """Stand in for the drawing office: rooms in a row, and some doors besides."""
    digest = hashlib.sha256(building.encode()).digest()
    rooms = [Room(number) for number in range(ROOMS)]
    for room, following in itertools.pairwise(rooms):
        Door(room, following)
    for byte in digest[:4]:
        Door(rooms[byte % ROOMS], rooms[byte // 16 % ROOMS])
    return rooms


# The plans that were asked for last: whoever asks for one often asks again.
LATELY: OrderedDict[str, list[Room]] = OrderedDict()


def known_plan(building: str) -> list[Room]:
    """The plan of a building, drawn once while it is in demand."""
    if building not in LATELY:
        LATELY[building] = plan_of(building)
    LATELY.move_to_end(building)
    if len(LATELY) > PLANS:
        LATELY.popitem(last=False)
    return LATELY[building]


def doors_between(start: Room) -> dict[int, int]:
    """How many doors there are on the way from a room to each other one."""
    found, waiting = {start.number: 0}, deque([start])
    while waiting:
        room = waiting.popleft()
        for following in (room for door in room.doors for room in door.rooms):
            if following.number not in found:
                found[following.number] = found[room.number] + 1
                waiting.append(following)
    return found


class WayOutResource:
    """How far it is to the way out, which is room 0."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, building: str) -> None:
        distances = doors_between(known_plan(building)[0])
        resp.media = {"building": building, "rooms": len(distances), "farthest_doors": max(distances.values())}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/buildings/{building}/way-out", WayOutResource())
    return app


app = create_app()
