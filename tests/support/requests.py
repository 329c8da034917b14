"""Requests of the tests. The training process imports this module to unpickle them."""

import ctypes
import os
import signal
import socket
import time
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_info

from core.costs import Work
from core.jobs.limits import Limits


@dataclass(frozen=True)
class Count:
    """Reports 1 to `to`, `pause` seconds apart; the result is how far it came."""

    to: int
    pause: float = 0.0

    def run(self, on_event, should_stop):
        for number in range(1, self.to + 1):
            on_event(number)
            if should_stop():
                break
            time.sleep(self.pause)
        return number


FOREVER = Count(10**9, pause=0.01)


@dataclass(frozen=True)
class Stopped:
    """A result that knows whether it was stopped, as a History does; ends when it is cancelled."""

    cancelled: bool

    def run(self, on_event, should_stop):
        on_event("begun")
        while not should_stop():
            time.sleep(0.01)
        return self


@dataclass(frozen=True)
class Pid:
    def run(self, on_event, should_stop):
        print("noise on the standard output")
        return os.getpid()


@dataclass(frozen=True)
class Threads:
    """The most threads that a product of NumPy's takes."""

    def run(self, on_event, should_stop):
        return max(pool["num_threads"] for pool in threadpool_info())


@dataclass(frozen=True)
class Raise:
    error: Exception

    def run(self, on_event, should_stop):
        raise self.error


@dataclass(frozen=True)
class Unpicklable:
    def run(self, on_event, should_stop):
        return lambda: None


@dataclass(frozen=True)
class Die:
    def run(self, on_event, should_stop):
        os._exit(3)


@dataclass(frozen=True)
class Hold:
    """Keeps a connection to `port` open until its process is gone; never asks whether to stop."""

    port: int

    def run(self, on_event, should_stop):
        with socket.create_connection(("127.0.0.1", self.port)):
            time.sleep(1_000)


@dataclass(frozen=True)
class Deaf:
    """Reports once and never asks whether to stop."""

    seconds: float = 1_000

    def run(self, on_event, should_stop):
        on_event("begun")
        time.sleep(self.seconds)


@dataclass(frozen=True)
class HoldPython:
    """Keeps Python's lock, as TensorFlow may while it compiles: no other thread runs."""

    seconds: int

    def run(self, on_event, should_stop):
        ctypes.PyDLL(None).usleep(self.seconds * 1_000_000)
        return "awake"


@dataclass(frozen=True)
class Allocate:
    """Takes more memory than its process may."""

    def run(self, on_event, should_stop):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2**31, resource.RLIM_INFINITY))
        return np.ones(2**32)


@dataclass(frozen=True)
class Large:
    """Returns so many bytes."""

    size: int

    def run(self, on_event, should_stop):
        return bytes(self.size)


@dataclass(frozen=True)
class Fitted:
    """As large as the limits allow; the result is these."""

    limits: Limits | None = None

    def within(self, limits):
        return Fitted(limits)

    def run(self, on_event, should_stop):
        return self.limits


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


@dataclass(frozen=True)
class Suicide:
    """Ends as a process does that the system ends for want of memory."""

    def run(self, on_event, should_stop):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Priced(Count):
    """Says that it trains something, and does not."""

    work: tuple[Work, ...] = ()
