"""What a comparison comes to, in sentences: the answer, and what one has to know to believe it."""

from collections.abc import Iterator

from fluidbench import regression, text
from fluidbench.analysis import PART_OF
from fluidbench.comparison import Compared, Comparison
from fluidbench.control import is_control, margin_of
from fluidbench.stats import FEWEST_FOR_T, MOST_ROUNDS

EXCHANGE_SCOPES = {f"phase:{phase}" for phase, part in PART_OF.items() if part == "exchange"}
POLICIES = {
    "cold": "every file was evicted before it was read",
    "warm": "nothing was evicted, as in a hand-off on one node",
    "dropped": "all caches of the machine were dropped before each step",
}


def headline(comparison: Comparison) -> list[str]:
    """What the comparison comes to, a sentence an arm."""
    arms = [arm.store for arm in comparison.arms if arm.store != comparison.baseline]
    if arms and is_control([comparison.baseline, *arms]):
        return [_control_answer(comparison, arms[0])]
    return [_answer(comparison, comparison.total(arm)) for arm in arms]


def remarks(comparison: Comparison) -> list[str]:
    """What stands under the answer: the cache policy, the noise floor, noise, and rounds that were dropped."""
    return [
        *_policy(comparison), *_noise_floor(comparison), *_changes(comparison),
        *(f"Dropped: {line}" for line in comparison.dropped), *(f"Noise: {line}" for line in comparison.noise),
    ]  # fmt: skip


def _answer(comparison: Comparison, total: Compared) -> str:
    name = f"{total.arm[0].upper()}{total.arm[1:]}" if ":" not in total.arm else total.arm
    if total.ratio is None:
        return f"{name}: cannot tell, a run took no time at all."
    rounds = _rounds(comparison.rounds)
    ratio, seconds = f"{total.ratio:.2f}x", _seconds(comparison, total)
    if total.interval is None:
        return f"{name}: cannot tell ({ratio}, {seconds}): {_too_few(comparison.rounds)}."
    spread = f"{total.interval[0]:.2f} to {total.interval[1]:.2f}, {rounds}"
    return {
        "faster": f"{name} is {ratio} faster ({spread}): {seconds}.",
        "slower": f"{name} is slower, {ratio} as fast ({spread}): {seconds}.",
        "same": f"{name} is the same, within {_percent(comparison.margin)} ({ratio}; {spread}).",
        "cannot tell": f"{name}: cannot tell ({ratio}; {spread}): {_more(total, comparison.margin)}.",
    }[total.verdict]


def _seconds(comparison: Comparison, total: Compared) -> str:
    """14.2 s less, of which 12.9 s exchange."""
    exchange = sum(
        entry.saving_s for entry in comparison.comparisons if entry.arm == total.arm and entry.scope in EXCHANGE_SCOPES
    )
    sign = 1 if total.saving_s >= 0 else -1
    whole = f"{text.seconds(abs(total.saving_s))} {'less' if sign > 0 else 'more'}"
    part = sign * exchange
    if part < 0:
        return f"{whole}, although exchange took {text.seconds(-part)} {'more' if sign > 0 else 'less'}"
    if (rest := part - abs(total.saving_s)) > 0 and text.seconds(part) != text.seconds(abs(total.saving_s)):
        less, more = ("less", "more") if sign > 0 else ("more", "less")
        return f"{whole}: exchange took {text.seconds(part)} {less}, all else {text.seconds(rest)} {more}"
    return f"{whole}, of which {text.seconds(part)} exchange"


def _too_few(rounds: int) -> str:
    if rounds == 1:
        return f"one round proves nothing, {FEWEST_FOR_T} are the least that have an interval"
    return f"{_rounds(rounds)} are too few to say how sure that is, {FEWEST_FOR_T} are the least that have an interval"


def _more(total: Compared, margin: float) -> str:
    if total.more_rounds is None:
        return f"it lies at the margin of {_percent(margin)}, not even {MOST_ROUNDS} rounds would do"
    return f"about {text.counted(total.more_rounds, 'more round')} should do"


def _control_answer(comparison: Comparison, arm: str) -> str:
    floor, total = comparison.control, comparison.total(arm)
    if floor is None:
        return f"Control: {_rounds(comparison.rounds)} of {comparison.baseline} against itself, {FEWEST_FOR_T} needed."
    answer = (
        f"Control: {floor.store} against itself is {total.ratio:.3f}x ({floor.interval[0]:.3f} to "
        f"{floor.interval[1]:.3f}, {_rounds(floor.rounds)}). The noise floor is {_percent(floor.half_width)}: "
        f"verdicts here are made against a margin of {_percent(margin_of(floor))}."
    )
    return f"{answer} {_DIFFERS}" if floor.differs else answer


_DIFFERS = (
    "But the interval leaves out 1: something other than noise told two equal arms apart. One control in twenty does "
    "so by chance; if more rounds do not change it, do not trust this machine's figures."
)


def _policy(comparison: Comparison) -> Iterator[str]:
    if comparison.identity is None:
        return
    policy = comparison.identity.cache_policy
    other = "warm" if policy != "warm" else "cold"
    yield f"Cache: {policy}, {POLICIES.get(policy, 'as told')}. The other policy is --cache {other}."


def _noise_floor(comparison: Comparison) -> Iterator[str]:
    floor = comparison.control
    if not comparison.rounds or is_control([arm.store for arm in comparison.arms]):
        return
    if floor is None:
        yield f"Margin: {_percent(comparison.margin)}, not measured here. Measure it: fluidbench compare --control"
        return
    yield (
        f"Margin: {_percent(comparison.margin)}. Control: {floor.store} against itself {floor.ratio:.3f}x "
        f"({floor.interval[0]:.3f} to {floor.interval[1]:.3f}, {_rounds(floor.rounds)})."
    )
    if floor.differs:
        yield f"Control: {_DIFFERS}"


def _changes(comparison: Comparison) -> Iterator[str]:
    for change in comparison.against:
        yield f"{regression.sentence(change)}."


def _rounds(count: int) -> str:
    return text.counted(count, "round")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
