"""Run a reader's code so that nothing it does can hang the notebook or end it."""

import contextlib
import ctypes
import gc
import os
import select
import signal
import sys
import threading
import time
import warnings

LIMIT = 4.0
"""Seconds that an answer may take."""

MEMORY = 4 << 30
"""Bytes that an answer may ask for."""


class Stopped(Exception):
    """The code did not come to an end by itself; the message says what happened instead."""


class OutOfMemory(Exception):
    """To be raised by a task whose answer asks for more memory than there is."""


class Overtime(BaseException):
    """Thrown into code that is to stop; not an Exception, so that few answers swallow it."""


def within_limits(task, limit=LIMIT):
    """Return ``task()``, or raise `Stopped` when it does not end in time.

    A thread can be stopped between two lines of Python, not inside compiled code. On Linux the
    task is therefore rehearsed in a copy of the process, which can be killed whatever it does.
    On other systems such code (``sum(range(10**12))``) is stopped by restarting the kernel.

    Parameters
    ----------
    task : callable
        Called without arguments, up to twice.
    limit : float, optional
        Seconds for each of the two.

    Returns
    -------
    object
        What the task returns.

    Raises
    ------
    Stopped
        If the task runs on, is interrupted, or would end Python.
    """
    with warnings.catch_warnings():
        # An answer's warnings would bury the result, and a copied process warns about its threads.
        warnings.simplefilter("ignore")
        try:
            if sys.platform == "linux":
                _rehearse(task, limit)
            return _in_thread(task, limit)
        except KeyboardInterrupt:
            raise Stopped("The check was interrupted.") from None


def _rehearse(task, limit):
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return
    if child == 0:
        _rehearse_and_exit(task, writer)
    os.close(writer)
    said, status, usage = None, 0, None
    try:
        if select.select([reader], [], [], limit)[0]:
            said = os.read(reader, 1)
    finally:
        os.close(reader)
        if said is None:
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            _, status, usage = os.wait4(child, 0)
    if said == b"m":
        raise Stopped("Your function asks for more memory than a small example can need.")
    if said == b"" and os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        raise Stopped(f"Your function took Python itself down ({name}).")
    if said == b"":
        raise Stopped("Your function ended Python itself: leave with `return`, not with an exit.")
    # A copy without the other threads can wait for a lock that none of them will release, so only
    # one that was busy has given a verdict; the thread decides about one that slept.
    if said is None and usage is not None and usage.ru_utime + usage.ru_stime > limit / 10:
        raise Stopped(_endless(limit))


def _rehearse_and_exit(task, writer):
    try:
        # Finalisers of the parent's objects must run in the parent alone.
        gc.disable()
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        for stream in (1, 2):
            os.dup2(sys.stdout.fileno(), stream)
        if torch := sys.modules.get("torch"):
            # The pool of OpenMP threads has stayed behind in the parent.
            torch.set_num_threads(1)
        _limit_memory()
        task()
        os.write(writer, b"e")
    except (OutOfMemory, MemoryError):
        os.write(writer, b"m")
    except BaseException:
        os.write(writer, b"e")
    finally:
        os._exit(0)


def _limit_memory():
    import resource

    with open("/proc/self/statm") as pages:
        used = int(pages.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > used + MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))


def _in_thread(task, limit):
    outcome = []

    def run():
        with contextlib.suppress(Overtime):
            try:
                outcome.append((task(), None))
            except Overtime:
                raise
            except BaseException as error:
                outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # Python in a browser has no threads.
        return _traced(task, limit)
    try:
        thread.join(limit)
    finally:
        _stop(thread)
    if thread.is_alive():
        raise Stopped(
            f"{_endless(limit)} It could not be stopped and may still be at work: "
            "restart the kernel when the notebook feels slow."
        )
    if not outcome:
        raise Stopped(_endless(limit))
    result, error = outcome[0]
    if isinstance(error, OutOfMemory):
        raise Stopped("Your function asks for more memory than there is.")
    if error is not None:
        raise error
    return result


def _stop(thread):
    # Repeated, because an answer may catch it the first time.
    for _ in range(20):
        if not thread.is_alive():
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Overtime)
        )
        thread.join(0.05)


def _traced(task, limit):
    end = time.monotonic() + limit

    def watch(frame, event, argument):
        if time.monotonic() > end:
            raise Overtime
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        return task()
    except Overtime:
        raise Stopped(_endless(limit)) from None
    except OutOfMemory:
        raise Stopped("Your function asks for more memory than there is.") from None
    finally:
        sys.settrace(before)


def _endless(limit):
    return (
        f"Your function did not come back within {limit:g} seconds: "
        "look for a loop that never ends."
    )
