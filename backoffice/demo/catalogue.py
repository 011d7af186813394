"""What the company sells, and what its product makes for the credits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from backoffice.demo.acts import Pack

PACKS = (
    Pack(name="Starter", credits=100, price_minor=900, currency="USD", price_id="price_1PzStarterUSD0001"),
    Pack(name="Plus", credits=500, price_minor=3900, currency="USD", price_id="price_1PzPlusUSD00000002"),
    Pack(name="Pro", credits=1500, price_minor=9900, currency="USD", price_id="price_1PzProUSD000000003"),
    Pack(name="Studio", credits=6000, price_minor=34900, currency="USD", price_id="price_1PzStudioUSD00004"),
    Pack(name="Starter (EUR)", credits=100, price_minor=900, currency="EUR", price_id="price_1PzStarterEUR0005"),
    Pack(name="Plus (EUR)", credits=500, price_minor=3700, currency="EUR", price_id="price_1PzPlusEUR00000006"),
    Pack(name="Pro (EUR)", credits=1500, price_minor=9500, currency="EUR", price_id="price_1PzProEUR000000007"),
    Pack(name="Starter (JPY)", credits=100, price_minor=1400, currency="JPY", price_id="price_1PzStarterJPY0008"),
    Pack(name="Plus (JPY)", credits=500, price_minor=5900, currency="JPY", price_id="price_1PzPlusJPY00000009"),
)

_CURRENCIES = {"JP": "JPY"} | dict.fromkeys(("DE", "FR", "ES", "IT", "NL"), "EUR")
# Some pay in dollars although their own currency is on offer.
_PAYS_AT_HOME = 0.85

_SUBJECTS = (
    "a lighthouse in a snow storm",
    "two astronauts playing chess on the moon",
    "a product shot of a ceramic teapot",
    "a market street in Marrakesh at dusk",
    "a fox in a paper forest",
    "a portrait of an old sailor",
    "a brutalist library full of plants",
    "a bowl of ramen seen from above",
    "a racing yacht in heavy weather",
    "an isometric coffee shop",
    "a knight who is afraid of butterflies",
    "a cabin by a frozen lake",
    "a glass greenhouse in the desert",
    "a sleeping dragon made of porcelain",
)
_STYLES = (
    "oil painting",
    "35 mm film",
    "watercolour",
    "low poly",
    "studio light",
    "ink drawing",
    "claymation",
    "8-bit",
)
_TEXTS = (
    "Product description for a linen shirt",
    "Newsletter about the spring collection",
    "Caption for a photo of a harbour",
    "Dialogue between two rivals",
    "Summary of a customer interview",
    "Ten names for a coffee roastery",
)
_CHARACTERS = ("Captain Mirelle", "Old Tobias", "Nyx", "The Baker of Brno", "Agent Quill", "Saffron", "Little Gustav")


@dataclass(frozen=True)
class Model:
    """``usd`` is what one piece of work, or a thousand tokens, costs the company."""

    slug: str
    credits: Decimal
    usd: Decimal
    weight: int


@dataclass(frozen=True)
class Work:
    """One piece of work, and the credits that it costs."""

    action_type: str
    description: str
    credits: Decimal
    metadata: Mapping[str, Any]


_MODELS = {
    "image_generation": (
        Model("flux-schnell", Decimal(2), Decimal("0.003"), 45),
        Model("flux-1.1-pro", Decimal(5), Decimal("0.04"), 30),
        Model("ideogram-v3", Decimal(4), Decimal("0.03"), 25),
    ),
    "video_generation": (
        Model("kling-v1", Decimal(18), Decimal("0.14"), 45),
        Model("kling-v2", Decimal(30), Decimal("0.28"), 35),
        Model("luma-ray-v2", Decimal(40), Decimal("0.36"), 20),
    ),
    "text_generation": (
        Model("mistral-small", Decimal("0.0625"), Decimal("0.0002"), 60),
        Model("llama-3.3-70b", Decimal("0.25"), Decimal("0.0009"), 40),
    ),
    "upscale": (
        Model("real-esrgan", Decimal("0.5"), Decimal("0.002"), 60),
        Model("clarity-upscaler", Decimal(2), Decimal("0.016"), 40),
    ),
    "character_creation": (Model("flux-character-lora", Decimal(8), Decimal("0.09"), 1),),
}
MOSTLY_IMAGES = {
    "image_generation": 60,
    "video_generation": 10,
    "text_generation": 16,
    "upscale": 10,
    "character_creation": 4,
}
MOSTLY_VIDEO = MOSTLY_IMAGES | {"image_generation": 35, "video_generation": 60}


def currency_of(rng: Random, country: str, *, among: Collection[str]) -> str:
    """In which of these currencies somebody from ``country`` pays: mostly their own, if it is one of them."""
    at_home = _CURRENCIES.get(country, "USD") if rng.random() < _PAYS_AT_HOME else "USD"
    return at_home if at_home in among else "USD"


def pack_for(rng: Random, name: str, country: str) -> Pack:
    """The pack of this name in the currency that somebody from ``country`` pays in."""
    currency = currency_of(rng, country, among=("USD", "EUR", "JPY"))
    on_offer = {(pack.name.partition(" ")[0], pack.currency): pack for pack in PACKS}
    return on_offer.get((name, currency)) or on_offer[name, "USD"]


def piece_of_work(rng: Random, kinds: Mapping[str, int]) -> Work:
    """Something that a customer has made; ``kinds`` are action types by weight."""
    (action_type,) = rng.choices(list(kinds), list(kinds.values()))
    models = _MODELS[action_type]
    (model,) = rng.choices(models, [model.weight for model in models])
    if action_type == "text_generation":
        return _text(rng, model)
    metadata = {"model": model.slug, "api_cost_usd": str(model.usd)}
    return Work(action_type, _description(rng, action_type), model.credits, metadata)


def _text(rng: Random, model: Model) -> Work:
    tokens_in, tokens_out = rng.randint(80, 1800), rng.randint(150, 2400)
    thousands = Decimal(tokens_in + tokens_out) / 1000
    metadata = {
        "model": model.slug,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "api_cost_usd": f"{model.usd * thousands:.8f}",
    }
    credits = (model.credits * thousands).quantize(Decimal("0.0001"))
    return Work("text_generation", rng.choice(_TEXTS), credits, metadata)


def _description(rng: Random, action_type: str) -> str:
    subject, style = rng.choice(_SUBJECTS), rng.choice(_STYLES)
    if action_type == "video_generation":
        return f"Video, {rng.choice((5, 5, 10))} s: {subject}, {style}"
    if action_type == "upscale":
        return f"Upscale {rng.choice((2, 4))}x: {subject}"
    if action_type == "character_creation":
        return f"Character: {rng.choice(_CHARACTERS)}"
    return f"Image: {subject}, {style}"
