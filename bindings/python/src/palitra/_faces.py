"""The synchronous faces of asynchronous objects: what ``to_sync`` makes of classes and objects.

A face stands for one object. Its attributes are the object's; methods block, ``with`` enters, ``for`` iterates. Faces
among the arguments of a method become their objects, and asynchronous objects among its results become faces, so a
program never meets the object itself, but as ``wrapped``.

The faces of one class have a class of their own, with those special methods that the class has. It can be called, which
constructs an object on the loop's thread, and subclassed; ``isinstance`` accepts a face for its object's class and for
the class of faces. Where code is asynchronous itself, ``async with`` and ``async for`` take a face, and each method has
a twin ``aio`` to await: the object's work is done on the runner's loop all the same.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import sys
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from ._fork import inheritors

#: What is never given a face.
ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes, bytearray))
PLAIN = ATOMS | {list, tuple, dict, set, frozenset}


class FaceClasses:
    """The classes of faces of one runner, by the classes that they wrap. From any thread."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[type, Any] = weakref.WeakValueDictionary()
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        # Reentrant: garbage may be collected while it is held, and a finalizer may wrap a class.
        self._lock = threading.RLock()

    def get(self, wrapped: type, otherwise: Any = None) -> Any:
        return self._known.get(wrapped, otherwise)

    def kept(self, wrapped: type, made: Any) -> Any:
        """Keeps a class of faces that was made, and returns it; or that which another thread made meanwhile."""
        with self._lock:
            return self._known.setdefault(wrapped, made)


class Bridge(Protocol):
    """What runs asynchronous things for faces: ``_bridges``."""

    def run(self, awaitable: Any) -> Any: ...
    async def run_async(self, awaitable: Any) -> Any: ...
    def iterate(self, iterable: Any) -> Any: ...
    def iterate_async(self, iterable: Any) -> Any: ...
    def enter(self, manager: Any) -> Any: ...
    def method(self, function: Callable[..., Any], owner: Any) -> Callable[..., Any]: ...
    def result(self, value: Any) -> Any: ...
    def translated(self, value: Any) -> Any: ...
    def classes(self) -> FaceClasses: ...


class FaceType(type):
    """The class of the classes of faces: class attributes are the wrapped class's."""

    palitra_bridge: Any
    #: The wrapped class; None for ``Synchronous`` itself.
    palitra_class: Any = None

    def __getattr__(cls, name: str) -> Any:
        wrapped = cls.palitra_class
        if wrapped is None or name.startswith("_palitra") or name in ("__isabstractmethod__", "__wrapped__"):
            raise AttributeError(name)
        attribute = getattr(wrapped, name)
        bridge: Bridge = cls.palitra_bridge
        if inspect.isroutine(attribute):
            return bridge.method(attribute, cls)
        return bridge.translated(bridge.run(attribute) if inspect.iscoroutine(attribute) else attribute)

    def __instancecheck__(cls, instance: Any) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        # A class of faces stands for its class; a subclass that the program wrote stands for itself.
        generated = "palitra_class" in cls.__dict__
        return generated and isinstance(instance, Synchronous) and isinstance(instance.wrapped, cls.palitra_class)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if type.__subclasscheck__(cls, subclass):
            return True
        theirs = getattr(subclass, "palitra_class", None)
        generated = "palitra_class" in cls.__dict__ and isinstance(subclass, FaceType)
        return generated and theirs is not None and issubclass(theirs, cls.palitra_class)

    def __dir__(cls) -> list[str]:
        return sorted({*super().__dir__(), *dir(cls.palitra_class or object)})

    def __repr__(cls) -> str:
        if "palitra_class" not in cls.__dict__:
            return super().__repr__()
        return f"<synchronous {cls.palitra_class!r}>"


class Synchronous(metaclass=FaceType):
    """An object whose asynchronous methods, context and iteration are synchronous; ``wrapped`` is the object."""

    palitra_bridge: Bridge
    wrapped: Any

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        bridge, wrapped = self.palitra_bridge, type(self).palitra_class
        arguments, keywords = tuple(map(unwrapped, arguments)), {key: unwrapped(keywords[key]) for key in keywords}

        async def construct() -> Any:
            return wrapped(*arguments, **keywords)

        # On the loop's thread: many asynchronous classes want a running loop from the start.
        _put(self, bridge.run(construct()))

    def __class_getitem__(cls, parameters: Any) -> Any:
        if not hasattr(cls.palitra_class, "__class_getitem__"):
            raise TypeError(f"{cls!r} is not subscriptable")
        return types.GenericAlias(cls, parameters)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The class of the object, for ``isinstance``. ``type(face)`` is the class of faces."""
        wrapped = self.__dict__.get("wrapped", self)
        return type(self) if wrapped is self else type(wrapped)

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":  # Not set yet: the object is being made, copied or unpickled.
            raise AttributeError(name)
        wrapped = self.wrapped
        # What is closed with ``aclose`` alone is closed with ``close`` here, as ``contextlib.closing`` wants it.
        is_close = name == "close" and not hasattr(wrapped, "close") and hasattr(wrapped, "aclose")
        attribute = getattr(wrapped, "aclose" if is_close else name)
        bridge = self.palitra_bridge
        if inspect.isroutine(attribute):
            return bridge.method(attribute, self)
        # An asynchronous property is awaited; a future that is an attribute is just that.
        return bridge.translated(bridge.run(attribute) if inspect.iscoroutine(attribute) else attribute)

    def __setattr__(self, name: str, value: Any) -> None:
        if "wrapped" not in self.__dict__ or name in self.__dict__:
            object.__setattr__(self, name, value)
        else:
            setattr(self.wrapped, name, unwrapped(value))

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            object.__delattr__(self, name)
        else:
            delattr(self.wrapped, name)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *dir(self.wrapped)})

    def __eq__(self, other: Any) -> Any:
        return self.wrapped == unwrapped(other)

    def __hash__(self) -> int:
        return hash(self.wrapped)

    def __bool__(self) -> bool:
        return bool(self.wrapped)

    def __str__(self) -> str:
        return str(self.wrapped)

    def __repr__(self) -> str:
        return f"<synchronous {self.wrapped!r}>"

    def __copy__(self) -> Any:
        return face_as(type(self), copy.copy(self.wrapped))

    def __deepcopy__(self, memo: Any) -> Any:
        return face_as(type(self), copy.deepcopy(self.wrapped, memo))

    def __reduce__(self) -> Any:
        generated = "palitra_class" in type(self).__dict__
        # The global runner's: no other comes to the one who unpickles it.
        restore = sys.modules["palitra"].to_sync
        return (restore, (self.wrapped,)) if generated else (face_as, (type(self), self.wrapped))


def _put(face: Any, wrapped: Any) -> None:
    """The object of a face, and what was entered by whom: several threads may have, and one more than once."""
    face.__dict__.update(wrapped=wrapped, palitra_entered=[])


def face_as(cls: Any, wrapped: Any) -> Any:
    """The object's face, of this class of faces."""
    face = object.__new__(cls)
    _put(face, wrapped)
    return face


def unwrapped(value: Any) -> Any:
    """The value, or its object if it is a face; so also for the elements of a list, tuple or dictionary."""
    return value if type(value) in ATOMS else _changed(value, _unwrapped)


def _unwrapped(one: Any) -> Any:
    if isinstance(type(one), FaceType):
        return one.wrapped
    return one.palitra_class if isinstance(one, FaceType) and "palitra_class" in vars(one) else one


def translated(bridge: Bridge, value: Any) -> Any:
    """The value, or its face if it is an asynchronous object or one of a class with a class of faces; so also for the
    elements of a list, tuple or dictionary."""

    if type(value) in ATOMS:
        return value

    def translate(one: Any) -> Any:
        kind: Any = type(one)
        if kind in PLAIN or isinstance(kind, FaceType):
            return one
        if isinstance(one, type):
            return bridge.classes().get(one, one)
        return face_of(bridge, one) if asynchronous_names(kind) or bridge.classes().get(kind) is not None else one

    return _changed(value, translate)


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value changed, or its elements. It is the same object if nothing changes."""
    kind = type(value)
    if kind is dict:
        pairs = {key: change(one) for key, one in value.items()}
        return pairs if any(pairs[key] is not one for key, one in value.items()) else value
    if kind is list or kind is tuple:
        elements = [change(one) for one in value]
        return kind(elements) if any(new is not old for new, old in zip(elements, value)) else value
    return change(value)


# The special methods, which Python looks up in the class: a class of faces has those that the wrapped class has.

#: Forwarded as they are: to call them runs nothing.
FORWARDED = """
    call len length_hint contains getitem setitem delitem reversed missing format bytes int float complex index
    lt le gt ge add radd iadd sub rsub isub mul rmul imul matmul rmatmul truediv rtruediv itruediv floordiv rfloordiv
    mod rmod pow rpow and rand iand or ror ior xor rxor ixor lshift rshift neg pos abs invert divmod round
    enter exit iter next fspath
"""


def _forwarding(name: str) -> Callable[..., Any]:
    def forward(self: Any, *arguments: Any, **keywords: Any) -> Any:
        bridge: Bridge = self.palitra_bridge
        value = getattr(type(self.wrapped), name)(self.wrapped, *map(unwrapped, arguments), **unwrapped(keywords))
        return self if value is self.wrapped else bridge.result(value)

    forward.__name__ = name
    return forward


def _enter(self: Any) -> Any:
    manager = self.palitra_bridge.enter(self.wrapped)
    value = manager.__enter__()
    self.palitra_entered.append((threading.get_ident(), manager))
    return self if value is self.wrapped else self.palitra_bridge.translated(value)


def _exit(self: Any, *details: Any) -> Any:
    entered: list[tuple[int, Any]] = self.palitra_entered
    own = [one for one in entered if one[0] == threading.get_ident()]
    if not own and not entered:
        raise RuntimeError(f"{self!r} was not entered")
    leaving = (own or entered)[-1]
    entered.remove(leaving)
    return leaving[1].__exit__(*details)


async def _aenter(self: Any) -> Any:
    bridge: Bridge = self.palitra_bridge
    value = await bridge.run_async(type(self.wrapped).__aenter__(self.wrapped))
    return self if value is self.wrapped else bridge.translated(value)


async def _aexit(self: Any, *details: Any) -> Any:
    return await self.palitra_bridge.run_async(type(self.wrapped).__aexit__(self.wrapped, *details))


def _iter(self: Any) -> Any:
    if hasattr(type(self.wrapped), "__anext__"):
        return self
    return self.palitra_bridge.iterate(self.wrapped)


def _next(self: Any) -> Any:
    bridge: Bridge = self.palitra_bridge

    async def step() -> Any:
        return await type(self.wrapped).__anext__(self.wrapped)

    try:
        return bridge.translated(bridge.run(step()))
    except StopAsyncIteration:
        raise StopIteration from None


def _aiter(self: Any) -> Any:
    return self.palitra_bridge.iterate_async(self.wrapped)


#: What a class that has the first gets besides.
TRANSLATED: list[tuple[str, dict[str, Any]]] = [
    ("__aenter__", {"__enter__": _enter, "__exit__": _exit, "__aenter__": _aenter, "__aexit__": _aexit}),
    ("__aiter__", {"__iter__": _iter, "__aiter__": _aiter}),
    ("__anext__", {"__next__": _next}),
]


def face_class(bridge: Bridge, wrapped: type) -> Any:
    """The class of the faces of this class's objects. The same one each time, for one runner."""
    known = bridge.classes()
    existing = known.get(wrapped)
    if existing is not None:
        return existing
    names = [f"__{word}__" for word in FORWARDED.split()]
    body: dict[str, Any] = {name: _forwarding(name) for name in names if _defines(wrapped, name)}
    for name, methods in TRANSLATED:
        if hasattr(wrapped, name):
            body.update(methods)

    @functools.wraps(wrapped.__init__)  # type: ignore[misc]
    def construct(self: Any, *arguments: Any, **keywords: Any) -> None:
        Synchronous.__init__(self, *arguments, **keywords)

    body["__init__"] = construct
    for name in ("__module__", "__qualname__", "__doc__"):
        body[name] = getattr(wrapped, name, None)
    body |= {"palitra_bridge": bridge, "palitra_class": wrapped}
    made: Any = FaceType(wrapped.__name__, (Synchronous,), body)
    return known.kept(wrapped, made)


def _defines(cls: type, name: str) -> bool:
    """Whether the class, and not just ``object``, has this special method."""
    found = next((vars(base)[name] for base in cls.__mro__[:-1] if name in vars(base)), None)
    return found is not None


def face_of(bridge: Bridge, subject: Any) -> Any:
    """The face of an object."""
    return face_as(face_class(bridge, type(subject)), subject)


def face_of_entered(bridge: Bridge, subject: Any, manager: Any) -> Any:
    """The face of what an asynchronous context manager has returned when it was entered; ``with`` leaves it."""
    if type(subject) in PLAIN:
        return subject
    cls: Any = face_class(bridge, type(subject))
    managed = vars(cls).get("palitra_managed")
    if managed is None:
        managed = FaceType(cls.__name__, (cls,), {"__enter__": _enter_entered, "__exit__": _exit})
        cls.palitra_managed = managed
    face = face_as(managed, subject)
    face.__dict__["palitra_leaving"] = manager
    return face


def _enter_entered(self: Any) -> Any:
    try:
        manager = self.__dict__.pop("palitra_leaving")
    except KeyError:
        return _enter(self)
    self.palitra_entered.append((threading.get_ident(), manager))
    return self


#: The asynchronous methods of each class that was asked about.
_asynchronous: weakref.WeakKeyDictionary[type, frozenset[str]] = weakref.WeakKeyDictionary()


def asynchronous_names(kind: type) -> frozenset[str]:
    """The methods of the class that are asynchronous. Its objects want a face if there are any."""
    known = _asynchronous.get(kind)
    if known is None:
        # An event loop has some; it is a means, and compared by identity.
        bases = () if issubclass(kind, asyncio.AbstractEventLoop) else kind.__mro__[:-1]
        known = _asynchronous[kind] = frozenset(
            name
            for base in bases
            for name, attribute in vars(base).items()
            if name in ("__aenter__", "__aiter__", "__anext__") or _is_asynchronous_function(attribute)
        )
    return known


def _is_asynchronous_function(attribute: Any) -> bool:
    if isinstance(attribute, staticmethod | classmethod):
        attribute = attribute.__func__
    if isinstance(attribute, property):
        attribute = attribute.fget
    while isinstance(attribute, functools.partial):
        attribute = attribute.func
    return inspect.iscoroutinefunction(attribute) or inspect.isasyncgenfunction(attribute)
