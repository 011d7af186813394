"""What people are called, by country, and the addresses they sign up with. No real person is meant."""

# ruff: noqa: RUF001 (letters are as people write them)

import unicodedata
from dataclasses import dataclass
from random import Random

# Country, its share of the customers, how far its clocks are from UTC in hours, given names, family names.
_COUNTRIES = """
US 26 -6 | Olivia Liam Emma Noah Ava Mason Harper Ethan Zoe Jordan Camila Tyler | Smith Johnson Ramirez Nguyen Walker Brooks Carter Reed Bennett Foster Hayes Kim
GB 9 0 | Amelia Oliver Isla George Poppy Harry Freya Arthur Imogen Callum | Taylor Davies Hughes Patel Clarke Wright Khan Hall Ward Bailey
DE 9 1 | Mia Lukas Hannah Jonas Jürgen Lena Finn Leonie Paul Käthe | Müller Schmidt Weber Köhler Schäfer Becker Vogel Krüger Groß Lange
FR 6 1 | Léa Hugo Chloé Louis Zoé Théo Inès Gaël Manon Rémy | Martin Bernard Dubois Lefèvre Moreau Girard Rousseau Blanchet François Noël
IN 8 5 | Aarav Diya Vivaan Ananya Ishaan Priya Rohan Meera Kabir Sneha | Sharma Patel Reddy Iyer Gupta Nair Singh Das Mehta Kulkarni
BR 6 -3 | João Maria Gabriel Júlia Thiago Beatriz Rafael Larissa Caio Letícia | Silva Santos Oliveira Conceição Araújo Pereira Gonçalves Ribeiro Lima Moura
JP 6 9 | Haruto Yui Sota Hina Ren Mei Yuto Sakura Riku Aoi | Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato
CA 5 -5 | Charlotte William Sophie Lucas Maya Nathan Élodie Owen Claire Logan | Tremblay Roy MacDonald Gagnon Wilson Campbell Bouchard Fraser Singh Leblanc
AU 4 10 | Matilda Jack Ruby Cooper Evie Lachlan Billie Archie Sienna Angus | Williams Jones Brown O'Connor Kelly Murphy Ryan Mitchell Stewart Campbell
ES 4 1 | Lucía Hugo Sofía Martín Paula Álvaro Alba Íñigo Carmen Pablo | García Fernández Núñez López Martínez Ibáñez Peña Ruiz Muñoz Vidal
IT 3 1 | Sofia Leonardo Giulia Matteo Aurora Lorenzo Chiara Nicolò Elena Marco | Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino D'Angelo
NL 3 1 | Emma Daan Sanne Sem Lotte Bram Fleur Thijs Noor Ruben | Jansen Visser Bakker Smit Meijer Mulder Bos Vos Dekker Hendriks
PL 3 1 | Zofia Jakub Maja Łukasz Julia Wojciech Małgorzata Kacper Agnieszka Paweł | Nowak Kowalska Wiśniewski Wójcik Kamińska Lewandowski Dąbrowska Zieliński Szymańska Król
SE 2 1 | Alice Björn Astrid Oskar Elsa Åsa Nils Maja Göran Linnéa | Andersson Johansson Lindström Åkerlund Bergström Öberg Holm Sjögren Nyström Ek
MX 3 -6 | Ximena Santiago Regina Mateo Valentina Diego Renata Emiliano Fernanda Iker | Hernández Ramírez Cruz Flores Torres Morales Jiménez Vázquez Aguilar Rojas
NG 2 1 | Chinedu Amara Tunde Ngozi Emeka Zainab Femi Ifeoma Yusuf Adaeze | Okafor Adeyemi Balogun Eze Ibrahim Nwosu Abubakar Ogunleye Bello Obi
KR 2 9 | Minjun Seoyeon Jihoon Jiwoo Hyunwoo Sujin Dohyun Yuna Taeyang Eunji | Kim Lee Park Choi Jung Kang Yoon Lim Han Seo
TR 2 3 | Zeynep Yusuf Elif Mert Ayşe Emre Çağla Kerem Gülşen Burak | Yılmaz Kaya Demir Şahin Çelik Öztürk Aydın Arslan Doğan Güneş
AE 1 4 | Layla Omar Noor Khalid Mariam Hamdan Fatima Saif Hessa Rashid | Al-Mansoori Haddad Al-Suwaidi Khoury Nasser Al-Falasi Saleh Darwish Aziz Rahman
SG 1 8 | Wei Hui Jun Xin Kai Rachel Aaron Mei Farah Dinesh | Tan Lim Lee Ng Wong Goh Chua Koh Teo Rajan
"""  # noqa: E501 (a line is a country)

DOMAINS = {"example.com": 60, "example.org": 20, "example.net": 20}

# Letters that do not fall apart into a plain one and an accent.
_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "ı": "i", "'": "", "-": ""})


@dataclass(frozen=True)
class Country:
    code: str
    weight: int
    utc_offset: int
    given: tuple[str, ...]
    family: tuple[str, ...]


@dataclass(frozen=True)
class Identity:
    name: str
    email: str
    country: Country


def _country(line: str) -> Country:
    head, given, family = line.split("|")
    code, weight, utc_offset = head.split()
    return Country(code, int(weight), int(utc_offset), tuple(given.split()), tuple(family.split()))


COUNTRIES = {country.code: country for country in map(_country, _COUNTRIES.strip().splitlines())}

# Legal, and hard on a page: long, short, accented, quoted, in other scripts and from right to left, or not there.
_ODD = (
    ("Maximiliana Konstantina Freifrau von und zu Hohenlohe-Waldenburg-Schillingsfürst", None, "DE"),
    ("محمد بن عبد الرحمن الأحمد", "mohammed.alahmad@example.com", "AE"),
    ("Siobhán O'Reilly-D'Arcy", "siobhan.o'reilly@example.com", "GB"),
    ("佐藤 陽菜", "hina.sato+gallery@example.org", "JP"),
    ("Å", "a@example.net", "SE"),
    ("", "no.name.given@example.com", "US"),
    ("נועה בן־דוד", "noa.bendavid@example.org", "US"),
    ("Wolfeschlegelsteinhausenbergerdorff", f"{'very.long.local.part.' * 3}w@example.com", "US"),
    ("Zoë 🎨 van 't Hoff", "zoe_vant_hoff@example.net", "NL"),
    ('R&D <Nordlicht> "Studio"', "r-and-d@example.com", "DE"),
    ("Πηνελόπη Παπαδοπούλου", "penelope.p@example.org", "DE"),
    ("Jennifer Null", "null@example.com", "US"),
)
ODD_IDENTITIES = tuple(
    Identity(name, email or "maximiliana.konstantina.von.und.zu.hohenlohe@example.org", COUNTRIES[country])
    for name, email, country in _ODD
)


class Registrar:
    """Hands out identities, no address twice."""

    def __init__(self) -> None:
        self._taken = {identity.email for identity in ODD_IDENTITIES}

    def identity(self, rng: Random) -> Identity:
        """Somebody new, from a country by its share."""
        (country,) = rng.choices(list(COUNTRIES.values()), [country.weight for country in COUNTRIES.values()])
        given, family = rng.choice(country.given), rng.choice(country.family)
        # Where the family comes first, people still write their names the other way round abroad.
        return Identity(f"{given} {family}", self._address(rng, plain(given), plain(family)), country)

    def _address(self, rng: Random, given: str, family: str) -> str:
        forms = (f"{given}.{family}", f"{given[0]}.{family}", f"{given}{family}", f"{given}_{family}", given)
        (local,) = rng.choices(forms, (50, 15, 15, 10, 10))
        (domain,) = rng.choices(list(DOMAINS), list(DOMAINS.values()))
        address, number = f"{local}@{domain}", rng.randint(1, 98)
        while address in self._taken:
            number += 1
            address = f"{local}{number}@{domain}"
        self._taken.add(address)
        return address


def plain(name: str) -> str:
    """The name in small ASCII letters, as people write it in addresses: ``Łukasz`` is ``lukasz``."""
    decomposed = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalnum()).lower()
