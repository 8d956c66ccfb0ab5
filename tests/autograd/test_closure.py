"""What a compiled function closes over: whatever changes, no answer is stale; and what no program can see is refused.

Each case makes a function and a list of changes to what it reads. After each change, and several calls on each side of
it, the compiled function must answer as the function does.
"""

import array
import builtins
import collections
import contextvars
import dataclasses
import datetime
import enum
import functools
import importlib
import io
import itertools
import json
import logging
import operator
import os
import pathlib
import queue
import random
import sys
import threading
import time
import types
import uuid
import weakref

import numpy as np
import pytest
from numpy import loadtxt

import nn
from autograd import Value, compile
from autograd.closure import Surroundings, content, identity
from autograd.errors import CompileError

X = np.arange(6.0).reshape(2, 3)


def assert_follows(function, *changes, calls=4):
    """Compiled, the function gives its own answers, also after each change."""
    compiled = compile(function)
    for change in (lambda: None, *changes):
        change()
        for _ in range(calls):
            got, wanted = (y.data if isinstance(y, Value) else y for y in (compiled(X), function(X)))
            assert np.array_equal(got, wanted) and got.dtype == wanted.dtype
    return compiled


# ---------------------------------------------------------------- cells, globals, defaults

NUMBER = 1.0
HELPER = None


def setting(name, new):
    return lambda: globals().__setitem__(name, new)


def test_cells():
    k, a, f, empty = 1.0, np.ones(3), np.sin, None

    def change(**new):
        nonlocal k, a, f, empty
        k, a, f = new.get("k", k), new.get("a", a), new.get("f", f)
        if "empty" in new:
            del empty

    def function(x):
        try:
            found = empty
        except NameError:
            found = 0.0
        return f(x * k) + a + (7.0 if found is None else found)

    assert_follows(
        function, lambda: change(k=2.0), lambda: change(k=2), lambda: change(k=True), lambda: change(k=np.float32(2)),
        lambda: change(a=np.zeros(3)), lambda: change(a=np.ones((2, 3))), lambda: change(a=np.ones(3, np.float32)),
        lambda: change(f=np.cos), lambda: change(empty=0),
    )  # fmt: skip


def test_globals(monkeypatch):
    monkeypatch.setitem(globals(), "HELPER", lambda x: x * NUMBER)

    def function(x):
        try:
            return HELPER(x) * LATER + abs(-2)
        except NameError:
            return HELPER(x)

    changes = [setting("NUMBER", 3.0), setting("HELPER", lambda x: x - NUMBER), setting("LATER", 2.0),
               setting("abs", lambda x: 7)]  # fmt: skip
    try:
        assert_follows(function, *changes, lambda: globals().pop("abs"), lambda: globals().pop("LATER"))
    finally:
        globals()["NUMBER"] = 1.0
        globals().pop("abs", None)
        globals().pop("LATER", None)


def test_code_that_is_replaced():
    """As by a notebook that loads a changed file again."""

    def helper(x):
        return x * 2

    def other(x):
        return x * 3

    def function(x):
        return helper(x) + 1

    def change():
        helper.__code__ = other.__code__

    assert_follows(function, change)


def test_defaults_and_attributes_of_functions():
    def function(x, a=np.ones(3), k=[1.0], *, n=2.0):  # noqa: B006, B008
        return x * a * k[0] * n * function.factor

    function.factor = 1.0

    def change():
        function.__defaults__ = (np.zeros(3), [4.0])

    assert_follows(
        function, lambda: function.__defaults__[0].__setitem__(0, 5.0), lambda: function.__defaults__[1].append(2.0),
        lambda: function.__defaults__[1].__setitem__(0, 3.0), lambda: setattr(function, "factor", 2.0),
        lambda: function.__kwdefaults__.__setitem__("n", 5.0), change,
    )  # fmt: skip


def test_keyword_defaults_that_are_replaced():
    def function(x, *, n=2.0):
        return x * n

    assert_follows(function, lambda: setattr(function, "__kwdefaults__", {"n": 7.0}))


def test_partials_wrappers_and_bound_methods():
    a = np.ones(3)
    numbers = {"k": 2.0}
    get = numbers.get

    def scaled(a, x, k=1.0):
        return x * a * k * get("k")

    function = functools.partial(scaled, a, k=2.0)
    assert_follows(
        function, lambda: a.__setitem__(0, 5.0), lambda: function.keywords.__setitem__("k", 3.0),
        lambda: numbers.__setitem__("k", 7.0), lambda: numbers.update(k=1.5),
    )  # fmt: skip

    @functools.wraps(scaled)
    def wrapped(x):
        return scaled(a, x)

    assert_follows(wrapped, lambda: a.__setitem__(1, 4.0))


def test_what_is_cached_is_looked_into():
    k = 1.0

    @functools.cache
    def number(n):
        return k * n

    def change():
        nonlocal k
        k = 4.0
        number.cache_clear()

    assert_follows(lambda x: x * number(3), change)
    assert_follows(lambda x: x * number(x.shape[0]), change)


# ---------------------------------------------------------------- objects and classes


class Plain:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("k", "later")


@dataclasses.dataclass(frozen=True)
class Frozen:
    k: float = 1.0


class Kind(enum.Enum):
    ONE = 1.0
    TWO = 2.0


def test_attributes():
    one, slotted, frozen = Plain(k=1.0, a=np.ones(3), inner=Plain(k=2.0)), Slotted(), Frozen()
    kind, space, local = Kind.ONE, types.SimpleNamespace(k=1.0), threading.local()
    slotted.k = local.k = 1.0

    def function(x):
        late = getattr(one, "late", 1.0) * getattr(slotted, "later", 1.0)
        return x * one.k * one.a * one.inner.k * slotted.k * frozen.k * kind.value * space.k * local.k * late

    def replace():
        nonlocal frozen, kind
        frozen, kind = Frozen(2.0), Kind.TWO

    assert_follows(
        function, *[(lambda o=o: setattr(o, "k", o.k + 1)) for o in (one, one.inner, slotted, space, local)],
        lambda: one.a.__setitem__(0, 9.0), lambda: setattr(one, "a", np.zeros(3)), lambda: setattr(one, "late", 3.0),
        lambda: setattr(one, "inner", Plain(k=8.0)), lambda: setattr(slotted, "later", 2.0), replace,
    )  # fmt: skip


def test_classes():
    class Base:
        k, a, w = 1.0, np.ones(3), Value(np.ones(3), label="w")

        def times(self, x):
            return x * self.k

        @property
        def number(self):
            return self._number * NUMBER

        @staticmethod
        def plus(x):
            return x + NUMBER

        @classmethod
        def minus(cls, x):
            return x - cls.k

    class Derived(Base):
        pass

    one = Derived()
    one._number = 2.0

    def function(x):
        found = one.times(x) + one.number + one.plus(x) + one.minus(x) + Derived.a + Derived.w.data
        return found * getattr(Derived, "late", 1.0)

    try:
        assert_follows(
            function, lambda: setattr(Base, "k", 3.0), lambda: Base.a.__setitem__(0, 4.0),
            lambda: setattr(Base, "a", np.zeros(3)), lambda: setattr(Base.w, "data", np.zeros(3)),
            lambda: setattr(Derived, "k", 5.0), lambda: setattr(Derived, "late", 2.0),
            lambda: setattr(Base, "times", lambda self, x: x * 9), lambda: setattr(one, "_number", 4.0),
            setting("NUMBER", 3.0), lambda: setattr(Base, "plus", staticmethod(lambda x: x)),
        )  # fmt: skip
    finally:
        globals()["NUMBER"] = 1.0


def test_attributes_that_are_found_in_other_ways():
    class Kind(type):
        @property
        def k(cls):
            return cls._k

    class Described:
        def __init__(self):
            self.number = 1.0

        def __get__(self, instance, owner=None):
            return self.number

    class Thing(metaclass=Kind):
        _k, described = 1.0, Described()

        def __init__(self):
            self.store, self.listed = {"late": 1.0}, [1.0]

        def __getattr__(self, name):
            return self.store[name]

        def __getitem__(self, index):
            return self.listed[index]

        def times(self):
            return self.listed[-1]

    thing, hidden = Thing(), Plain(deeper=Plain(k=1.0))
    get, call, item = operator.attrgetter("deeper.k"), operator.methodcaller("times"), operator.itemgetter(0)

    def function(x):
        return x * Thing.k * thing.described * thing.late * thing[0] * get(hidden) * call(thing) * item(thing)

    assert_follows(
        function, lambda: setattr(Thing, "_k", 2.0), lambda: setattr(vars(Thing)["described"], "number", 3.0),
        lambda: thing.store.update(late=4.0), lambda: thing.listed.append(5.0),
        lambda: thing.listed.__setitem__(0, 6.0), lambda: setattr(hidden.deeper, "k", 7.0),
    )  # fmt: skip
    polynomial = np.poly1d([1.0, 2.0])
    assert_follows(lambda x: x * polynomial.coeffs[0], lambda: polynomial.coeffs.__setitem__(0, 5.0))


def test_what_it_is_of_traced_things_is_what_it_is():
    number, rng, w = 1.0, np.random.default_rng(0), Value(np.ones(3))

    @functools.singledispatch
    def named(x):
        return 1.0

    @named.register(np.ndarray)
    def _(x):
        return 2.0

    def function(x):
        kinds = isinstance(x, np.ndarray), type(x) is np.ndarray, isinstance(w.data, np.ndarray), isinstance(x, float)
        more = isinstance(number, float), type(number) is float, isinstance(x[0, 0], np.floating), np.isscalar(x[0, 0])
        last = isinstance(rng, np.random.Generator), isinstance(type(x), type), type(x) == type(X)  # noqa: E721
        return x * named(x) * sum(2**i for i, kind in enumerate((*kinds, *more, *last)) if kind)

    def change(new):
        nonlocal number
        number = new

    assert_follows(function, *[(lambda new=new: change(new)) for new in (2.0, 3.0, 4, 5)])


def test_modules(monkeypatch):
    module = types.ModuleType("a_users_module")
    module.k, module.deeper = 1.0, types.ModuleType("a_users_module.deeper")
    module.deeper.k, module.a = 2.0, np.ones(3)
    monkeypatch.setitem(sys.modules, "a_users_module", module)

    def function(x):
        import a_users_module

        return x * module.k * module.deeper.k * module.a * a_users_module.k

    assert_follows(
        function, lambda: setattr(module, "k", 2.0), lambda: setattr(module.deeper, "k", 5.0),
        lambda: module.a.__setitem__(0, 3.0), lambda: setattr(module, "a", np.zeros(3)),
    )  # fmt: skip


def test_an_installed_package_that_speaks_of_us_is_looked_into(monkeypatch, tmp_path):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "someones_net.py").write_text(
        "import numpy as np\nfrom autograd import Value\nRATE = 1.0\n"
        "class Net:\n    def __init__(self):\n        self.w = Value(np.ones(3))\n"
        "    def __call__(self, x):\n        return np.sum(self.w * x) * RATE\n"
    )
    monkeypatch.syspath_prepend(folder)
    import someones_net

    net = someones_net.Net()
    assert_follows(lambda x: net(x), lambda: setattr(net.w, "data", np.zeros(3)))
    net.w.data = np.ones(3)
    assert_follows(lambda x: net(x), lambda: setattr(someones_net, "RATE", 2.0))


def test_a_weak_reference():
    one = Plain(k=1.0)
    reference = weakref.ref(one)
    assert_follows(lambda x: x * reference().k, lambda: setattr(one, "k", 3.0))


def test_the_environment(monkeypatch):
    monkeypatch.setenv("SOME_FACTOR", "1")
    assert_follows(lambda x: x * float(os.environ["SOME_FACTOR"]), lambda: monkeypatch.setenv("SOME_FACTOR", "2"))


# ---------------------------------------------------------------- containers

CONTAINERS = {
    "an entry of a list": ([1.0], lambda c, x: x * c[0], [lambda c: c.__setitem__(0, 2.0)]),
    "a list that grows": ([1.0], lambda c, x: x * len(c), [lambda c: c.append(1.0), lambda c: c.clear()]),
    "a word in a list": (["a"], lambda c, x: x * (2 if "b" in c else 3), [lambda c: c.__setitem__(0, "b")]),
    "lists in lists": ([[1.0], [2.0]], lambda c, x: x * c[0][0] + c[1][-1], [
        lambda c: c[0].__setitem__(0, 7.0), lambda c: c.__setitem__(1, [9.0]), lambda c: c[1].append(3.0)]),
    "a list of a hundred": ([1.0] * 100, lambda c, x: x * c[5], [
        lambda c: c.__setitem__(5, 4.0), lambda c: c.__setitem__(5, 4), lambda c: c.__setitem__(5, True)]),
    "a dict": ({"a": 1.0}, lambda c, x: x * c.get("b", 2.0) * c.get("a", 1.0), [
        lambda c: c.update(b=7.0), lambda c: c.pop("a"), lambda c: (c.pop("b"), c.update(a=5.0))]),
    "the order of a dict": ({"a": 1.0, "b": 2.0}, lambda c, x: x * next(iter(c.values())), [
        lambda c: c.update(a=c.pop("a"))]),
    "a dict of a hundred": (dict.fromkeys(range(100), 1.0), lambda c, x: x * c[5], [lambda c: c.update({5: 4.0})]),
    "arrays in a dict": ({"a": np.ones(3)}, lambda c, x: x * c["a"], [
        lambda c: c["a"].__setitem__(0, 3.0), lambda c: c.update(a=np.zeros(3))]),
    "an array in a tuple": ((np.ones(3), (2.0, np.ones(3))), lambda c, x: x * c[0] + c[1][1] * c[1][0], [
        lambda c: c[0].__setitem__(0, 3.0), lambda c: c[1][1].__setitem__(1, 3.0)]),
    "an array of which there is a view": (np.ones((3, 3)), lambda c, x: x * c[0], [lambda c: c.fill(2.0)]),
    "an index": (np.array([0, 1]), lambda c, x: x[:, c] * 1.0, [lambda c: c.__setitem__(0, 2)]),
    "a mask": (np.array([True, False, True]), lambda c, x: x[:, c], [
        lambda c: c.__setitem__(1, True), lambda c: c.fill(False)]),
    "an array of objects": (np.array([2.0, None], object), lambda c, x: x * c[0], [lambda c: c.__setitem__(0, 3.0)]),
    "a set": ({"a"}, lambda c, x: x * len(c) * ("b" in c), [lambda c: c.add("b"), lambda c: c.clear()]),
    "a deque": (collections.deque([1.0]), lambda c, x: x * c[-1], [lambda c: c.append(3.0)]),
    "bytes": (bytearray(b"\1"), lambda c, x: x * c[0], [lambda c: c.__setitem__(0, 3)]),
    "an array of Python's": (array.array("d", [1.0]), lambda c, x: x * c[0], [lambda c: c.__setitem__(0, 3.0)]),
    "a view of memory": (memoryview(bytearray(b"ab")), lambda c, x: x * c[0], [lambda c: c.__setitem__(0, 3)]),
    "a list of one's own": (type("L", (list,), {})([1.0]), lambda c, x: x * c[0], [lambda c: c.__setitem__(0, 3.0)]),
    "a UserDict": (collections.UserDict(k=1.0), lambda c, x: x * c["k"], [lambda c: c.update(k=4.0)]),
    "a ChainMap": (collections.ChainMap({"k": 1.0}), lambda c, x: x * c["k"], [lambda c: c.maps[0].update(k=4.0)]),
    "a Value for a key": ({Value(1.0): 2.0}, lambda c, x: x * next(iter(c)).data, [
        lambda c: setattr(next(iter(c)), "data", np.float64(3.0))]),
    "a Value in a set": ({Value(1.0)}, lambda c, x: x * next(iter(c)).data, [
        lambda c: setattr(next(iter(c)), "data", np.float64(3.0))]),
    "zero and minus zero": ([0.0], lambda c, x: np.copysign(x, c[0]), [
        lambda c: c.__setitem__(0, -0.0), lambda c: c.__setitem__(0, 0.0)]),
    "NaN": ([float("nan")], lambda c, x: x if c[0] != c[0] else x * 2, [
        lambda c: c.__setitem__(0, 1.0), lambda c: c.__setitem__(0, float("nan"))]),
    "a count that decides on a shape": ([2], lambda c, x: np.reshape(x, (c[0], -1)), [
        lambda c, n=n: c.__setitem__(0, n) for n in (3, 1, 6, 2)]),
    "a count that decides how often": ([2], lambda c, x: sum(x for _ in range(c[0])), [
        lambda c, n=n: c.__setitem__(0, n) for n in (3, 1, 6, 2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers(name):
    held, compute, changes = CONTAINERS[name]
    assert_follows(lambda x: compute(held, x), *[(lambda f=f: f(held)) for f in changes])


def test_a_read_only_view_of_a_dict():
    inner = {"k": 1.0, "a": np.ones(3)}
    seen = types.MappingProxyType(inner)
    assert_follows(
        lambda x: x * seen["k"] * seen["a"], lambda: inner.update(k=4.0), lambda: inner["a"].__setitem__(0, 2.0)
    )


def test_the_same_thing_in_two_places_and_in_itself():
    a = np.ones(3)
    pair, loop = (a,), [a]
    loop.append(loop)
    again, other = pair, {"a": a, "loop": loop}
    assert_follows(
        lambda x: x * pair[0] + again[0] * loop[1][1][0] + other["loop"][0] + other["a"], lambda: a.fill(2.0)
    )


def test_a_tuple_gets_its_own_arrays_back():
    named = collections.namedtuple("Named", "a k")(np.ones(3), 2.0)
    inside, holder = (named, 1.0), Plain()
    holder.t = inside
    compiled = compile(lambda x: x * holder.t[0].a * holder.t[0].k)
    for _ in range(4):
        compiled(X)
        assert holder.t is inside and inside[0] is named and type(named.a) is np.ndarray
    with pytest.raises(ZeroDivisionError):
        compile(lambda x: x * holder.t[0].a * (1 // 0))(X)
    assert holder.t is inside and inside[0] is named and type(named.a) is np.ndarray


# ---------------------------------------------------------------- what is none of its business


def test_what_no_code_speaks_of_is_not_looked_at():
    class Trainer:
        def __init__(self):
            self.layer = nn.Dense(3, 1, seed=0)
            self.optimizer = nn.SGD(self.layer.parameters(), lr=0.01)
            self.losses, self.log, self.best = [], {}, None

        @compile
        def step(self, x):
            self.optimizer.zero_grad()
            loss = np.mean(self.layer(x) ** 2)
            loss.backward()
            self.optimizer.step()
            return loss

        def train(self):
            for n in range(10):
                self.losses.append(self.step(X).item())
                self.log[n] = self.best = min(self.losses)

    trainer = Trainer()
    trainer.train()
    assert Trainer.step.traces == 2
    assert trainer.losses == sorted(trainer.losses, reverse=True)


def test_who_asks_for_attributes_by_their_names_gets_all_of_them():
    one = Plain(a1=1.0, a2=2.0)

    def change():
        one.a2 = 5.0

    assert_follows(lambda x: x * sum(getattr(one, f"a{i}") for i in (1, 2)), change)
    assert_follows(lambda x: x * sum(vars(one).values()), change, lambda: setattr(one, "a3", 1.0))


# ---------------------------------------------------------------- what is refused


def clocks_and_the_like():
    draws, own = random.Random(0), np.random.RandomState(0)
    variable = contextvars.ContextVar("variable", default=1.0)
    numbers, lines = itertools.count(), io.StringIO("1\n2\n")
    log = logging.getLogger("test")
    now, draw = time.perf_counter, random.random
    generator, path = (float(i) for i in range(99)), pathlib.Path(__file__)
    yield "reads a clock", lambda x: x * time.time()
    yield "reads a clock", lambda x: x * now()
    yield "reads a clock", lambda x: x * datetime.datetime.now().second
    yield "reads a clock", lambda x: x * datetime.date.today().day
    yield "hidden generator", lambda x: x * random.random()
    yield "hidden generator", lambda x: x * draw()
    yield "hidden generator", lambda x: x * len(str(uuid.uuid4()))
    yield "hidden generator", lambda x: x * np.random.rand()  # noqa: NPY002
    yield "hidden generator", lambda x: (np.random.seed(0), x)[1]  # noqa: NPY002
    yield "a generator", lambda x: x * draws.random()
    yield "a generator", lambda x: x * own.rand()
    yield "depends on the context", lambda x: x * variable.get()
    yield "something else each time", lambda x: x * next(numbers)
    yield "something else each time", lambda x: x * next(generator)
    yield "reads or writes a file", lambda x: x * float(lines.readline())
    yield "prints", lambda x: (print(x.shape), x)[1]
    yield "prints", lambda x: [print(1), x][1]
    yield "opens a file", lambda x: x * float(open("number").read())  # noqa: SIM115
    yield "a file", lambda x: x * np.load("numbers.npy")
    yield "a file", lambda x: x * loadtxt("numbers.txt")
    yield "opens a file", lambda x: x * float(pathlib.Path("number").read_text())
    yield "opens a file", lambda x: x * json.loads(path.read_bytes())
    yield "asks for input", lambda x: x * float(input())
    yield "writes a log", lambda x: (log.warning("hm"), x)[1]
    yield "writes a log", lambda x: (logging.info("hm"), x)[1]
    yield "reads or writes", lambda x: (sys.stdout.write("hm"), x)[1]
    yield "asks the system", lambda x: x * os.getpid()
    yield "could read anything", lambda x: x * eval("NUMBER")
    yield "could read anything", lambda x: x * globals()["NUMBER"]
    yield "could read anything", lambda x: x * importlib.import_module("math").pi
    yield "cannot be followed", lambda x: x * sys.modules["math"].pi
    yield "draws", lambda x: x * len(_imported_inside())


def _imported_inside():
    import secrets

    return secrets.token_hex(2)


@pytest.mark.parametrize(("said", "function"), [pytest.param(*case, id=str(i)) for i, case in
                                                enumerate(clocks_and_the_like())])  # fmt: skip
def test_what_no_program_can_repeat_is_refused(said, function, capsys):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    with pytest.raises(CompileError, match=said):
        compile(function)(X)
    assert capsys.readouterr().out == ""
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert print is builtins.print and "print" not in globals()


def test_the_same_beyond_a_call():
    def told(x):
        print("told")
        return x

    class Telling:
        def __call__(self, x):
            return told(x)

    with pytest.raises(CompileError, match="prints"):
        compile(Telling())(X)
    assert np.array_equal(compile(lambda x: x * 2 if True else told(x))(X), X * 2)  # which it never does


def test_dates_that_are_not_of_today_are_fine():
    def function(x):
        return x * datetime.date(2024, 2, 29).day * datetime.timedelta(days=2).days

    assert_follows(function)


def test_who_took_hold_of_a_stand_in_has_the_thing_itself_afterwards(tmp_path, monkeypatch):
    """As a module that is imported for the first time in a trace, and keeps `open` under a name of its own."""
    (tmp_path / "keeps_open.py").write_text("from builtins import open as opened\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def function(x):
        import keeps_open

        return x * len(keeps_open.__name__)

    assert_follows(function)
    opened = sys.modules.pop("keeps_open").opened
    with opened(tmp_path / "keeps_open.py") as file:
        assert "opened" in file.read()
    with pytest.raises(CompileError, match="opens a file"):
        compile(lambda x: x * len(opened("numbers").read()))(X)


def test_other_threads_still_print(capsys):
    done = threading.Event()

    def talk():
        while not done.is_set():
            print(".", end="")

    def function(x):
        return print(x) if x.size == 1000 else np.tanh(x) * 2

    talking = threading.Thread(target=talk)
    talking.start()
    compiled = compile(function)
    for n in range(1, 30):
        compiled(np.ones(n))
    done.set()
    talking.join()
    assert set(capsys.readouterr().out) <= {"."}


@pytest.mark.parametrize(
    "function",
    [
        lambda x, n: x * n,
        lambda x, n: x if n == 1 else x * 2,
        lambda x, n: (x * 2, n),
        lambda x, n: (x * 2, x * 3)[n == 1],
        lambda x, n: [x.sum(), x.mean()][:: 1 if n == 1 else -1],
        lambda x, n: np.piecewise(x, [x < 2], [lambda v: v * n]),
        lambda x, n: np.piecewise(x, [x < 2], [lambda v, n=n: v * n]),
    ],
)
def test_what_an_object_of_c_holds_is_told_when_two_traces_differ(function):
    waiting = queue.SimpleQueue()
    compiled = compile(lambda x: function(x, float(waiting.qsize())))
    waiting.put("one")
    assert repr(compiled(X)) == repr(function(X, 1.0))
    waiting.put("two")
    with pytest.raises(CompileError, match="did different things"):
        compiled(X)


def test_where_a_result_goes_is_told_too():
    waiting, two = queue.SimpleQueue(), (Value(np.ones(3)), Value(np.zeros(3)))

    @compile
    def function(x):
        two[waiting.qsize()].data = x[0]

    function(X)
    waiting.put("one")
    with pytest.raises(CompileError, match="did different things, first at what comes out"):
        function(X)
    assert np.array_equal(two[0].data, X[0]) and np.array_equal(two[1].data, np.zeros(3))


# ---------------------------------------------------------------- places


def test_places_and_what_two_of_them_have_in_common():
    inside = (1.0, np.ones(3))
    holder = Plain(t=inside, empty=None)
    found = Surroundings(lambda: holder.t[1] * holder.t[0])
    (place,), (number,) = found.arrays, found.numbers
    assert content(place) is inside[1] and content(number) == 1.0
    where = identity(place)
    place.set("something")
    assert holder.t is not inside and holder.t == (1.0, "something")
    after = Surroundings(lambda: holder.t[0])
    assert identity(after.numbers[0]) == identity(number) and identity(place) == where
    place.set(inside[1])
    assert holder.t is inside
    assert found.holds(holder) and found.holds(inside) and not found.holds([])


def test_everything_is_put_back():
    values, words, names = [1.0], {"a": [2.0]}, {"x"}
    queue = collections.deque([1, 2])

    def function():
        return values, words["a"], names, queue

    found = Surroundings(function)
    values.append(5), words.update(b=1), words["a"].clear(), names.add("y"), queue.popleft()
    found.restore()
    assert (values, words, names, list(queue)) == ([1.0], {"a": [2.0]}, {"x"}, [1, 2])
