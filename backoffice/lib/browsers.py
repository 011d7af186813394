"""The name of a browser, from what it says of itself."""

# The first that occurs: most of them claim to be Chrome, and all but Firefox to be Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "a Python program"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """``Firefox on Linux``; "an unknown browser" when nothing of it is known."""
    browser = _first(user_agent, BROWSERS)
    system = _first(user_agent, SYSTEMS)
    if not (browser or system):
        return "an unknown browser"
    return f"{browser or 'a browser'} on {system}" if system else browser


def _first(user_agent: str, known: tuple[tuple[str, str], ...]) -> str:
    lowered = user_agent.lower()
    return next((name for mark, name in known if mark.lower() in lowered), "")
