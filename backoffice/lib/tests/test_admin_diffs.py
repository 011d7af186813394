import re

from django.utils.safestring import SafeString

from backoffice.lib.admin.diffs import diff, summary

HOSTILE = "<script>alert(1)</script>\"' onmouseover=alert(2)"


def rows(html):
    """Each row as its class and the texts of its cells."""
    found = re.findall(r'<tr class="(\w+)">(.*?)</tr>', html)
    return [(state, [text_of(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", cells)]) for state, cells in found]


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_values_tell_what_was_added_removed_changed_and_kept():
    html = diff({"plan": "pro", "gone": 1, "same": True}, {"plan": "free", "same": True, "come": 0})
    assert rows(html) == [
        ("changed", ["plan changed", "pro", "free"]),
        ("removed", ["gone removed", "1", "—"]),
        ("same", ["same", "yes", "yes"]),
        ("added", ["come added", "—", "0"]),
    ]


def test_what_was_nothing_and_still_is_has_no_row():
    html = diff({"until": None, "plan": "", "gone": ""}, {"until": None, "plan": "pro", "come": []})
    assert rows(html) == [("changed", ["plan changed", "—", "pro"])]


def test_what_had_no_value_before_is_one_column_of_values():
    html = diff({}, {"amount": "5"})
    assert rows(html) == [("added", ["amount", "5"])]
    assert "Before" not in html


def test_nested_values_stand_under_their_path():
    html = diff({"filters": {"plan": ["pro"], "q": "x"}}, {"filters": {"plan": ["pro"], "q": "y"}})
    assert [cells[0] for _, cells in rows(html)] == ["filters / plan", "filters / q changed"]


def test_of_a_list_what_came_and_what_went_is_marked():
    html = diff({"may": ["a", "b"]}, {"may": ["b", "c"]})
    assert '<li class="gone">a</li><li>b</li>' in html
    assert '<li class="come">c</li><li>b</li>' in html
    assert text_of(summary({"may": ["a", "b"]}, {"may": ["b", "c"]})) == "may +1 -1"


def test_a_long_text_and_a_long_list_without_changes_are_folded():
    long = "word " * 100
    assert f"<summary>{long[:100]}…</summary>{long}</details>" in diff({}, {"text": long})
    many = [f"item {number}" for number in range(20)]
    assert "<summary>20 unchanged</summary>" in diff({"may": many}, {"may": [*many, "new"]})


def test_a_value_leads_to_what_it_names():
    assert '<a href="/entry/7/">7</a>' in diff({}, {"transaction": 7}, {"transaction": "/entry/7/"})


def test_the_lines_of_a_list_show_the_first_changes_and_count_the_rest():
    html = summary({"a": 1, "same": 0}, {"a": 2, "same": 0, "empty": None, "b": "x" * 100, "d": 4, "e": 5})
    assert text_of(html) == "a 1 → 2 b " + "x" * 39 + "… and 2 more"
    assert text_of(summary({"a": 1}, {"a": 2})) == "a 1 → 2"


def test_a_moment_is_written_for_people():
    assert rows(diff({}, {"until": "2027-02-19T08:00:00.123456+00:00"}))[0][1][1] == "2027-02-19 08:00:00 UTC"


def test_what_a_user_typed_is_escaped():
    for html in (
        diff({HOSTILE: HOSTILE}, {HOSTILE: [HOSTILE]}),
        diff({"a": {HOSTILE: HOSTILE}}, {"a": {HOSTILE: HOSTILE * 20}}),
        summary({HOSTILE: HOSTILE}, {HOSTILE: {HOSTILE: HOSTILE}}),
        diff({}, {"a": HOSTILE}, {"a": "javascript:alert(1)"}),
    ):
        assert isinstance(html, SafeString)
        assert "<script" not in html and "\"' onmouseover" not in html and "href" not in html


def test_no_values_are_a_dash():
    assert diff({}, None) == summary(None, {}) == '<span class="absent">—</span>'
