"""Only images of MEDIA_HOSTS are shown, read as the browser reads the same list in the policy."""

import pytest

from backoffice.lib import media
from backoffice.lib.admin import display

HOSTS = [
    "https://media.example.com",
    "*.cdn.example.com",
    "https://x.example.com:8443/images/",
    "https://y.example.com/one.png",
]


@pytest.mark.parametrize(
    "address",
    [
        "https://media.example.com/a.png",
        "https://MEDIA.example.com/a.png?size=2",
        "https://media.example.com:443/a.png",
        "https://eu.cdn.example.com/a.png",
        "https://x.example.com:8443/images/a.png",
        "https://y.example.com/one.png",
    ],
)
def test_what_is_covered(address):
    assert media.is_allowed(address, HOSTS)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://media.example.com/a.png",
        "//media.example.com/a.png",
        "https://media.example.com:8443/a.png",
        "https://media.example.com.evil.example/a.png",
        "https://evilmedia.example.com/a.png",
        "https://media.example.com@evil.example/a.png",
        "https://user@media.example.com/a.png",
        "https://evil.example/https://media.example.com",
        "https://cdn.example.com/a.png",
        "https://evilcdn.example.com/a.png",
        "https://x.example.com:8443/other/a.png",
        "https://x.example.com/images/a.png",
        "https://y.example.com/two.png",
        "https://media.example.com:port/",
        "https://[media.example.com/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
    ],
)
def test_what_is_not(address):
    assert not media.is_allowed(address, HOSTS)


def test_an_avatar_is_the_image_if_it_may_be_shown_and_else_initials(settings):
    settings.MEDIA_HOSTS = ["https://media.example.com"]
    shown = display.avatar("Ada Byron", 1, 'https://media.example.com/a.png?"><script>')
    assert shown.startswith('<img class="avatar" src="https://media.example.com/a.png?&quot;&gt;&lt;script&gt;"')
    assert 'alt=""' in shown
    for image in ("", "https://evil.example/a.png", "javascript:alert(1)"):
        assert display.avatar("Ada Byron", 1, image) == display.avatar("Ada Byron", 1)
