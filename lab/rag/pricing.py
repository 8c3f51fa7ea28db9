"""What a call costs, in whole nano-dollars: sums of floats would drift, sums of integers do not."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from lab.rag.errors import UnknownModelError

NANO = 1_000_000_000  # nano-dollars in a dollar
PER_TOKENS = 1_000_000  # prices are for a million tokens

EMBEDDING_MODEL = "text-embedding-3-small"
CHAT_MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo")
CACHED = "cached"  # the `model` of an answer that needed none


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars, in nano, for a million tokens in and out."""

    input_nano: int
    output_nano: int


PRICES = {
    "gpt-4o": Price(5 * NANO, 15 * NANO),
    "gpt-4o-mini": Price(150_000_000, 600_000_000),
    "gpt-3.5-turbo": Price(500_000_000, 1_500_000_000),
    EMBEDDING_MODEL: Price(20_000_000, 0),
}


class PriceList:
    """Prices times a declared scale.

    The lab drives far more queries a second than a young service gets; the scale (default 1/1000) makes an
    alert on dollars an hour mean in a run what it means in production. `factor` is the operator's switch.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = Fraction(str(scale))
        self._factor = Fraction(1)
        self._carried: defaultdict[str, Fraction] = defaultdict(Fraction)

    def set_factor(self, factor: float) -> None:
        """Multiply every price from now on."""
        self._factor = Fraction(str(factor))

    def charge(self, model: str, input_tokens: int, output_tokens: int) -> int:
        """Nano-dollars to book for this call. Raises UnknownModelError.

        What is less than a nano-dollar is carried to the model's next call, so that totals stay exact.
        """
        price = PRICES.get(model)
        if price is None:
            raise UnknownModelError(model)
        tokens_nano = input_tokens * price.input_nano + output_tokens * price.output_nano
        exact = Fraction(tokens_nano, PER_TOKENS) * self._scale * self._factor + self._carried[model]
        whole = int(exact)
        self._carried[model] = exact - whole
        return whole
