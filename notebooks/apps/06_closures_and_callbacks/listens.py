"""Ways to be told when an article is back; one channel for each, asked with ``PUT /CHANNEL/ARTICLE``."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable, Iterable, Iterator

import falcon

# Nothing is collected but when it is asked for, so that what refers to itself can be counted.
gc.disable()


class Watch:
    """What a visitor waits for, with what was found for it."""

    def __init__(self, article: str) -> None:
        self.article = article
        self.offers = bytes(10_000)
        self.me: Watch | None = None

    def tell(self, changed: str) -> bool:
        return changed == self.article


CLOSURES: list[Callable[[str], bool]] = []
SMALL_CLOSURES: list[Callable[[str], bool]] = []
METHODS: list[Callable[[str], bool]] = []
PARTIALS: list[Callable[[str], bool]] = []
WEAK_SET: weakref.WeakSet[Callable[[str], bool]] = weakref.WeakSet()
WEAK_REFERENCES: list[weakref.ref[Callable[[str], bool]]] = []
WEAK_METHODS: list[weakref.WeakMethod[Callable[[str], bool]]] = []


def by_closure(watch: Watch) -> None:
    """A closure holds each variable it uses, whole."""
    CLOSURES.append(lambda changed: changed == watch.article)


def by_small_closure(watch: Watch) -> None:
    """A closure over the text that it needs."""
    article = watch.article
    SMALL_CLOSURES.append(lambda changed: changed == article)


def by_method(watch: Watch) -> None:
    """A bound method holds its object."""
    METHODS.append(watch.tell)


def by_partial(watch: Watch) -> None:
    """A partial holds its arguments."""
    PARTIALS.append(functools.partial(Watch.tell, watch))


def by_weak_set(watch: Watch) -> None:
    """A weak set does not hold the closure, and nobody else does."""
    WEAK_SET.add(lambda changed: changed == watch.article)


def by_weak_reference(watch: Watch) -> None:
    """``watch.tell`` is a new object each time, gone at the end of the line."""
    WEAK_REFERENCES.append(weakref.ref(watch.tell))


def by_weak_method(watch: Watch) -> None:
    """Calls the method for as long as somebody else holds the object."""
    WEAK_METHODS.append(weakref.WeakMethod(watch.tell))


def by_cycle(watch: Watch) -> None:
    """Refers to itself, and nobody refers to it."""
    watch.me = watch


def alive(references: Iterable[weakref.ref[Callable[[str], bool]]]) -> Iterator[Callable[[str], bool]]:
    """What weak references still lead to."""
    return (listener for reference in references if (listener := reference()) is not None)


CHANNELS: dict[str, tuple[Callable[[Watch], None], Callable[[], Iterable[Callable[[str], bool]]]]] = {
    "closure": (by_closure, lambda: CLOSURES),
    "small-closure": (by_small_closure, lambda: SMALL_CLOSURES),
    "bound-method": (by_method, lambda: METHODS),
    "partial": (by_partial, lambda: PARTIALS),
    "weak-set": (by_weak_set, lambda: WEAK_SET),
    "weak-reference": (by_weak_reference, lambda: alive(WEAK_REFERENCES)),
    "weak-method": (by_weak_method, lambda: alive(WEAK_METHODS)),
    "cycle": (by_cycle, lambda: ()),
}


class Channel:
    """Watch an article over one channel, and say how many are told of it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, channel: str, article: str) -> None:
        watch, listeners = CHANNELS[channel]
        watch(Watch(article))
        resp.media = {"told": sum(listener(article) for listener in listeners())}


class Collector:
    """Collect garbage now."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        gc.collect()


app = falcon.App()
app.add_route("/{channel}/{article}", Channel())
app.add_route("/collect", Collector())
