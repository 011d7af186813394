import io
import tracemalloc

import pytest

from backoffice.lib.tables import LONGEST_ROW, BadRow, Table, TableFault, Unreadable

KNOWN = {"email", "full_name", "plan"}


def table(content, **options):
    return Table(io.BytesIO(content if isinstance(content, bytes) else content.encode()), known=KNOWN, **options)


def read(content, **options):
    """Rows and faults in their order; a fault is its line and its problem."""
    found, rows = [], table(content, **options)
    while True:
        try:
            found.append(next(rows))
        except StopIteration:
            return found
        except BadRow as fault:
            found.append((fault.line, fault.problem))
        except Unreadable as fault:
            return [*found, (fault.line, fault.problem)]


ADA = {"email": "ada@example.com", "full_name": "Ada, Countess", "plan": "pro"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_usual_form_of_a_table_is_the_same_table(delimiter, end, encoding):
    lines = ["email,Full Name,plan", 'ada@example.com,"Ada, Countess",pro', "b@example.com,Bj\u00f6rk,"]
    text = end.join(line.replace(",", delimiter) for line in lines).replace(f"Ada{delimiter} ", "Ada, ")
    assert read(text.encode(encoding)) == [
        (2, ADA),
        (3, {"email": "b@example.com", "full_name": "Björk", "plan": ""}),
    ]


def test_quoted_values_hold_quotation_marks_delimiters_and_line_breaks():
    [(line, row), (next_line, _)] = read('email,plan\n"a@b.c","say ""hi"",\n=2"\nx@y.z,\n')
    assert (line, row["plan"], next_line) == (2, 'say "hi",\n=2', 4)


def test_names_of_columns_are_compared_without_case_blanks_and_hyphens():
    assert table("\ufeff E-Mail ;Full Name;PLAN\n").columns == ["e_mail", "full_name", "plan"]


def test_empty_rows_and_trailing_columns_of_spreadsheets_are_nothing():
    assert read("\n\nemail,plan,,\na@b.c,x,,\n,,,\n\n") == [(4, {"email": "a@b.c", "plan": "x"})]


@pytest.mark.parametrize(("row", "number"), [("a@b.c", 1), ("a@b.c,x,y", 3), (",".join(["x"] * 100_000), 100_000)])
def test_a_ragged_row_is_named_and_the_next_one_is_read(row, number):
    fault, good = read(f"email,plan\n{row}\nx@y.z,p\n")
    assert fault == (2, f"The row has {number:,} values, and there are 2 columns.")
    assert good == (3, {"email": "x@y.z", "plan": "p"})


def test_a_quotation_mark_in_the_wrong_place_is_named_and_the_next_row_is_read():
    fault, good = read('email,plan\n"a"b@c.d,x\nx@y.z,p\n')
    assert fault[0] == 2 and "quotation mark" in fault[1]
    assert good[0] == 3


def test_a_quotation_mark_that_is_never_closed_is_named_where_it_opens():
    good, fault = read('email,plan\nx@y.z,p\na@b.c,"x\nb@b.c,y\nc@b.c,z\n')
    assert (good[0], fault) == (2, (3, "A quotation mark that opens in this row is never closed."))


def test_a_value_in_a_column_without_a_name_is_named():
    assert read("email,\na@b.c,x\n") == [(2, "There is a value in a column without a name.")]


def test_a_column_that_is_there_twice_is_refused_with_its_places():
    with pytest.raises(Unreadable, match="The column email is there more than once, in places 1 and 3"):
        table("email,plan,E mail,Email\n".replace("E mail", "email").replace(",Email", ""))


def test_100_000_columns_are_refused_by_their_number():
    header = ",".join(f"c{n}" for n in range(100_000))
    with pytest.raises(Unreadable, match="There are 100,000 columns"):
        table(f"email,{header[:-8]}\n")


@pytest.mark.parametrize("content", [b"", b"\n\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(content):
    with pytest.raises(Unreadable, match="The file is empty"):
        table(content)


def test_bytes_that_are_no_utf_8_are_named_by_line_with_how_they_might_read():
    content = "email,full_name\n" + "a@b.c,x\n" * 3000 + "m@b.c,Müller\n"
    found = table(content.encode("cp1252"))
    with pytest.raises(Unreadable) as fault:
        list(found)
    assert fault.value.line == 3002
    assert "0xfc" in fault.value.problem and "m@b.c,Müller" in fault.value.advice
    assert read(content.encode("cp1252"), encoding="windows-1252")[-1][1]["full_name"] == "Müller"


def test_utf_16_that_ends_in_half_a_letter_is_refused():
    assert read("email,plan\na@b.c,x\n".encode("utf-16")[:-1])[-1][1].startswith("This is not UTF-16")


def test_a_nul_is_handed_on_to_who_knows_what_the_column_holds():
    assert read("email,plan\na@b.c,x\x00y\n") == [(2, {"email": "a@b.c", "plan": "x\x00y"})]


@pytest.mark.parametrize("endless", [b"x" * 50, b'"x', b'"\n",'], ids=["one line", "one value", "one row"])
def test_a_row_without_end_is_refused_before_it_fills_the_memory(endless):
    class Endless(io.RawIOBase):
        sent = 0

        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, offset, whence=0):
            self.sent = 0
            return 0

        def readinto(self, buffer):
            part = b"email,plan\n" if self.sent == 0 else (endless * (len(buffer) // len(endless) + 1))[: len(buffer)]
            part = part[: len(buffer)]
            buffer[: len(part)] = part
            self.sent += len(part)
            return len(part)

    tracemalloc.start()
    with pytest.raises(TableFault) as fault:
        rows = Table(io.BufferedReader(Endless()), known=KNOWN)
        for _ in range(100):
            next(rows)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fault.value.line == 2
    assert most < 40 * LONGEST_ROW
