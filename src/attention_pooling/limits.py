"""Run a reader's code so that nothing it does can hang the notebook or end it.

Nothing here knows of exercises: `within_limits` takes a function without arguments. It has three
ways, and each covers what the one before it cannot.

1. On Linux a copy of the process rehearses the function (fork, a pipe for news of it, a limit of
   memory). The copy may loop in compiled code, fill the memory or end Python; it is killed, and the
   reader's process never was in danger. Results cannot be taken from it, for they may be anything.
2. A thread runs the function for its result. An exception is thrown into it when its time is over,
   which ends loops of Python, the only ones that are left after a rehearsal.
3. In a browser there are neither processes nor threads. A trace function looks at the clock before
   each line; what loops in compiled code there is ended with the page's worker, from outside.
"""

import contextlib
import ctypes
import faulthandler
import gc
import io
import os
import select
import signal
import sys
import threading
import time
import warnings

LIMIT = 4.0
"""Seconds that an answer may take: of the processor's time, or of the clock's while it sleeps."""

PATIENCE = 12.0
"""Seconds of the clock after which an answer ends in any case, however busy the machine."""

SLOWER = 3
"""Times as long as elsewhere may an answer take in a browser, whose Python is slower."""

IMPORT = 6.0
"""Further seconds for importing a library, which is slow the first time."""

REHEARSAL = 1.5
"""Seconds after which a rehearsal ends, if the answer could be stopped by then."""

MEMORY = 4 << 30
"""Bytes that an answer may ask for."""


class Stopped(Exception):
    """The code did not come to an end by itself; the message says what happened instead."""


class OutOfMemory(Exception):
    """To be raised by a task whose answer asks for more memory than there is."""


class _Short(io.TextIOBase):
    """Passes on the beginning of what is printed; a loop that prints would choke a notebook."""

    def __init__(self, stream, most=10_000):
        self._stream, self._left = stream, most

    def write(self, text):
        if self._left > 0:
            self._stream.write(text[: self._left])
            self._left -= len(text)
        return len(text)

    def flush(self):
        self._stream.flush()


class Overtime(BaseException):
    """Thrown into code that is to stop; not an Exception, so that few answers swallow it."""


def within_limits(task, limit=LIMIT):
    """Return ``task()``, or raise `Stopped` when it does not end in time.

    A thread can be stopped between two lines of Python, not inside compiled code that keeps the
    interpreter to itself, such as ``sum(range(10**12))``. On Linux the task is therefore rehearsed
    in a copy of the process, which can be killed whatever it does. On other systems such code is
    stopped by restarting the kernel.

    Parameters
    ----------
    task : callable
        Called without arguments, up to twice.
    limit : float, optional
        Seconds for each of the two: of the processor's time, which a busy machine shares out, or
        of the clock's while the task sleeps or where no clock counts a thread's time.

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
            with (
                contextlib.redirect_stdout(_Short(sys.stdout)),
                contextlib.redirect_stderr(_Short(sys.stderr)),
            ):
                return _in_thread(task, limit)
        except KeyboardInterrupt:
            raise Stopped("The check was interrupted.") from None


def _rehearse(task, limit):
    """Raise `Stopped` about a task that no thread could survive."""
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
    verdict, status, usage = "silent", 0, None
    try:
        verdict = _last_word(reader, limit)
    finally:
        os.close(reader)
        if verdict != "gone":
            os.kill(child, signal.SIGKILL)
        # Somebody else may have taken the child's status already.
        with contextlib.suppress(ChildProcessError):
            _, status, usage = os.wait4(child, 0)
    if verdict == "memory":
        raise Stopped("Your function asks for more memory than a small example can need.")
    if verdict == "gone" and os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        raise Stopped(f"Your function took Python itself down ({name}).")
    if verdict == "gone":
        raise Stopped("Your function ended Python itself: leave with `return`, not with an exit.")
    # A silent copy that was idle waits for a lock of a thread that has stayed behind.
    if verdict == "silent" and usage is not None and usage.ru_utime + usage.ru_stime > limit / 10:
        raise Stopped(_endless(limit))


def _last_word(reader, limit):
    """Listen to the copy until it is known to end, or to let its other thread speak."""
    begun = heard = time.monotonic()
    while time.monotonic() < begun + limit:
        if select.select([reader], [], [], 0.1)[0]:
            said = os.read(reader, 100)
            if not said:
                return "gone"
            if said.endswith(b"m"):
                return "memory"
            if said.endswith(b"e"):
                return "ended"
            heard = time.monotonic()
        now = time.monotonic()
        if now > begun + REHEARSAL and now < heard + 0.5:
            return "speaking"
    return "silent"


def _rehearse_and_exit(task, writer):
    try:
        # Finalisers of the parent's objects must run in the parent alone.
        gc.disable()
        # A crash of the copy is no news for the parent's error log.
        faulthandler.disable()
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        for stream in (1, 2):
            os.dup2(sys.stdout.fileno(), stream)
        if torch := sys.modules.get("torch"):
            # The pool of OpenMP threads has stayed behind in the parent.
            torch.set_num_threads(1)
        _limit_memory()
        thread = _Runner(task)
        thread.start()
        while thread.is_alive():
            os.write(writer, b".")
            thread.join(0.1)
        spent = thread.outcome and isinstance(thread.outcome[0][1], OutOfMemory | MemoryError)
        os.write(writer, b"m" if spent else b"e")
    except BaseException:
        # What went wrong with the copy itself says nothing about the task.
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


class _Runner(threading.Thread):
    """Runs a task, and keeps its (result, exception)."""

    def __init__(self, task):
        super().__init__(daemon=True)
        self.task, self.outcome, self.clock = task, [], None

    def run(self):
        # Only the thread itself can ask for its clock and be sure that it has not ended.
        if hasattr(time, "pthread_getcpuclockid"):
            self.clock = time.pthread_getcpuclockid(self.ident)
        with contextlib.suppress(Overtime):
            try:
                self.outcome.append((self.task(), None))
            except Overtime:
                raise
            except BaseException as error:
                self.outcome.append((None, error))

    def spent(self):
        """Return the processor's time that the thread has had, or the clock's where none tells."""
        try:
            return time.monotonic() if self.clock is None else time.clock_gettime(self.clock)
        except OSError:
            return 0.0  # It has ended.


def _in_thread(task, limit):
    thread = _Runner(task)
    try:
        thread.start()
    except RuntimeError:
        # Python in a browser has no threads.
        return _traced(task, SLOWER * limit)
    try:
        _wait(thread, limit)
    finally:
        _stop(thread)
    if thread.is_alive():
        raise Stopped(
            f"{_endless(limit)} It could not be stopped and may still be at work: "
            "restart the kernel when the notebook feels slow."
        )
    if not thread.outcome:
        raise Stopped(_endless(limit))
    result, error = thread.outcome[0]
    if isinstance(error, OutOfMemory):
        raise Stopped("Your function asks for more memory than there is.")
    if error is not None:
        raise error
    return result


def _wait(thread, limit):
    begun = before = time.monotonic()
    left, had = {True: IMPORT, False: limit}, thread.spent()
    while thread.is_alive() and min(left.values()) > 0 and before < begun + PATIENCE:
        thread.join(min(0.1, limit))
        now, has = time.monotonic(), thread.spent()
        # A thread that waits for the processor gets a share of it, one that sleeps gets none.
        share = (has - had) / (now - before)
        left[_is_importing(thread)] -= now - before if share < 0.05 else has - had
        before, had = now, has


def _is_importing(thread):
    frame = sys._current_frames().get(thread.ident)
    while frame is not None:
        if "importlib" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


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
