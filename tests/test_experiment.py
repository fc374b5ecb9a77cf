from fluidbench.experiment import schedule

STORES = ("pickle", "vineyard", "third")


def test_every_store_is_warmed_up_once_before_the_first_round() -> None:
    slots = schedule(STORES, 4, seed=1)
    assert [slot.store for slot in slots if slot.warmup] == list(STORES)
    assert all(slot.warmup for slot in slots[:3])
    assert not any(slot.warmup for slot in slots[3:])


def test_every_round_runs_each_store_once() -> None:
    slots = schedule(STORES, 20, seed=7)
    for number in range(1, 21):
        of_round = [slot for slot in slots if slot.round == number]
        assert sorted(slot.store for slot in of_round) == sorted(STORES)
        assert [slot.position for slot in of_round] == [0, 1, 2]


def test_rounds_follow_one_another_and_are_not_blocks_of_one_store() -> None:
    numbers = [slot.round for slot in schedule(STORES, 5, seed=3)]
    assert numbers == sorted(numbers)


def test_the_order_within_the_rounds_differs() -> None:
    slots = schedule(("a", "b"), 30, seed=5)
    first = {slot.store for slot in slots if slot.round and slot.position == 0}
    assert first == {"a", "b"}


def test_the_same_seed_gives_the_same_order_however_many_rounds_are_asked_for() -> None:
    assert schedule(STORES, 9, seed=11)[: 3 + 3 * 4] == schedule(STORES, 4, seed=11)


def test_another_seed_gives_another_order() -> None:
    assert schedule(STORES, 9, seed=1) != schedule(STORES, 9, seed=2)


def test_no_rounds_leave_only_the_warm_ups() -> None:
    assert [slot.round for slot in schedule(STORES, 0, seed=1)] == [0, 0, 0]
