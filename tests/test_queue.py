"""Whose turn it is, when a process counts as hanging, and which results are kept: no process."""

from core.costs import FREE
from core.jobs.job import Job
from core.jobs.queue import FairQueue
from core.jobs.results import Results
from core.jobs.watchdog import OVERDUE, SILENT, STOP, Watchdog
from support.requests import Count


def queue_of(*items):
    """A queue of strings whose first letter is their viewer."""
    queue = FairQueue()
    for item in items:
        assert queue.put(item[0], item) is None
    return queue


def finished(size):
    job = Job(None, "a", "a job", Count(1), FREE)
    job.start()
    job.finish("done", result="a result", size=size)
    return job


def test_who_came_first_is_first():
    queue = queue_of("b1", "a1", "c1")
    assert queue.in_order() == ["b1", "a1", "c1"]
    assert queue.ahead_of("c1") == ["b1", "a1"]
    assert [queue.pop() for _ in range(4)] == ["b1", "a1", "c1", None]


def test_who_was_served_longest_ago_is_next_and_a_new_viewer_before_them():
    queue = queue_of("a1", "b1")
    queue.pop(), queue.pop()
    for item in ("b2", "a2", "n1"):
        queue.put(item[0], item)
    assert queue.in_order() == ["n1", "a2", "b2"]


def test_a_viewer_has_one_item_and_a_newer_one_keeps_its_position():
    queue = queue_of("a1", "b1")
    assert queue.put("a", "a2") == "a1"
    assert queue.in_order() == ["a2", "b1"]
    assert "a1" not in queue
    assert "a2" in queue


def test_who_leaves_the_queue_was_not_served():
    queue = queue_of("a1", "b1")
    queue.remove("a1")
    queue.pop()
    queue.put("b", "b2")
    queue.put("a", "a2")
    assert queue.in_order() == ["a2", "b2"]
    assert queue.clear() == ["a2", "b2"]
    assert queue.in_order() == []


def test_silence_is_counted_from_the_last_message():
    watchdog = Watchdog(silence=2, seconds=100)
    assert [watchdog.tick(None) for _ in range(3)] == [None, None, SILENT]
    watchdog.heard()
    assert watchdog.tick(None) is None


def test_a_job_that_overruns_is_stopped_and_then_the_process_replaced():
    watchdog = Watchdog(silence=2, seconds=1)
    job, advice = object(), []
    for _ in range(6):
        watchdog.heard()
        advice.append(watchdog.tick(job))
    assert advice == [None, None, None, STOP, STOP, OVERDUE]
    watchdog.heard()
    assert watchdog.tick(object()) is None, "the next job begins anew"


def test_the_oldest_results_are_released_and_the_latest_is_kept():
    results, jobs = Results(limit=10), [finished(size=4) for _ in range(3)]
    for job in jobs:
        results.add(job)
    assert [job.result for job in jobs] == [None, "a result", "a result"]
    assert "press Train to see it again" in jobs[0].error
    del jobs[1], job
    jobs.append(finished(size=6))
    results.add(jobs[-1])
    assert jobs[1].result, "what no page holds does not count"
    results.add(largest := finished(size=99))
    assert largest.result
    assert jobs[-1].result is None
