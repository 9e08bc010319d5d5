"""Work on several cores gives what work on one gives."""

import os

import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.parallel import cores, ordered_map


def process_of(number: int) -> tuple[int, int]:
    return number, os.getpid()


def refuse_seven(number: int) -> int:
    if number == 7:
        raise AnalysisError("spectrum_7: does not cover the window")
    return number


def test_results_keep_their_order_and_come_from_other_processes():
    with cores(2):
        results = list(ordered_map(process_of, range(101)))
    assert [number for number, _ in results] == list(range(101))
    assert os.getpid() not in {process for _, process in results}


def test_one_core_starts_no_process():
    assert {process for _, process in ordered_map(process_of, range(9))} == {os.getpid()}


@pytest.mark.parametrize("number", [1, 2])
def test_no_more_items_are_taken_than_are_under_way(number):
    taken = []
    with cores(number):
        results = ordered_map(process_of, (taken.append(i) or i for i in range(10_000)))
        assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    assert len(taken) < 300
    results.close()


@pytest.mark.parametrize("number", [1, 2])
def test_an_error_of_the_data_arrives_as_it_was_raised(number):
    with cores(number), pytest.raises(AnalysisError, match="spectrum_7: does not cover the window"):
        list(ordered_map(refuse_seven, range(20)))
