"""Modes belong to their thread and context, and end when they should."""

import asyncio
import threading

import numpy as np
import pytest

from autograd import Value, anomaly, enable_grad, modes, no_grad

X = Value(2.0)


def recording():
    return (X * X).requires_grad


def test_no_grad_as_context_manager_and_decorator():
    with no_grad():
        assert not recording()
        with enable_grad():
            assert recording()
        assert not recording()
    assert recording()
    assert not no_grad()(recording)()
    assert recording()
    assert modes.active == 0


def test_an_exception_ends_the_mode():
    with pytest.raises(ZeroDivisionError), no_grad(), anomaly():
        1 / 0  # noqa: B018
    assert recording()
    assert modes.active == 0
    assert modes.now() is modes.PLAIN


def test_one_instance_can_be_nested():
    mode = no_grad()
    with mode:
        with mode:
            assert not recording()
        assert not recording()
    assert recording()


def test_another_thread_is_not_affected():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(recording()))
        thread.start()
        thread.join()
        assert not recording()
    assert seen == [True]


def test_another_task_is_not_affected():
    async def without():
        with no_grad():
            await asyncio.sleep(0.01)
            return recording()

    async def plain():
        await asyncio.sleep(0.005)
        return recording()

    async def both():
        return await asyncio.gather(without(), plain())

    assert asyncio.run(both()) == [False, True]


def test_a_task_that_outlives_the_mode_is_not_affected():
    async def later():
        await asyncio.sleep(0.01)
        return recording()

    async def main():
        with no_grad():
            task = asyncio.create_task(later())
            at_once = recording()
        with no_grad():  # of this task, not of that one
            return at_once, await task

    assert asyncio.run(main()) == (False, True)


def test_a_decorated_coroutine_and_no_asynchronous_generator():
    @no_grad()
    async def inside():
        await asyncio.sleep(0)
        return recording()

    assert asyncio.run(inside()) is False

    async def numbers():
        yield 1

    with pytest.raises(TypeError, match="asynchronous generator"):
        no_grad()(numbers)


def test_modes_may_end_out_of_order():
    def numbers():
        with no_grad():
            yield 1

    generator = numbers()
    next(generator)
    with enable_grad():
        generator.close()
        assert recording()
    assert recording()
    assert modes.active == 0
    no_grad().__exit__()
    assert modes.active == 0


def test_a_decorated_generator_keeps_the_mode_to_itself():
    @no_grad()
    def numbers():
        sent = yield recording()
        try:
            yield sent
        except ValueError:
            yield recording()
        return 5

    generator = numbers()
    assert next(generator) is False
    assert recording()
    assert generator.send("sent") == "sent"
    assert generator.throw(ValueError) is False
    assert recording()
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == 5
    assert modes.active == 0
    generator = numbers()
    next(generator)
    generator.close()
    assert recording()


def test_anomaly_and_no_grad_can_be_on_together():
    with no_grad(), anomaly():
        assert not recording()
        state = modes.now()
        assert state.watching
        assert not state.recording


def test_locating_notes_lines_and_raises_nothing():
    x = Value(0.0)
    with modes.locating():
        with np.errstate(all="ignore"):
            y = np.log(x)
        with anomaly():
            z = x * 2.0
    assert y.notes["source"].endswith("y = np.log(x)")
    assert z.notes["source"].endswith("z = x * 2.0")
    assert (x + 1.0).notes is None
