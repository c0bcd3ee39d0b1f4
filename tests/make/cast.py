"""Who plays in an officer's day: persons of a fictional city found by what they are, and the accounts of two offices.

Run inside an installation (`WANJIA_HOME` set): prints JSON. Persons are taken from the end of the register, so that other tests, which take the first
who fit, meet others.
"""

import json

from wanjia.kernel.database import setup_django

PASSWORD_ROLES = {"north": "officer", "south": "officer", "chief": "supervisor"}

LIVING = """
WITH living AS (
    SELECT s.person_id AS id, s.sex, s.birth_on, m.household_id AS home, m.is_head, m.relation, r.division_now AS division,
        left(r.division_now, 6) AS county, count(*) OVER (PARTITION BY m.household_id) AS size
    FROM register_personstate s
    JOIN register_membership m ON m.person_id = s.person_id AND m.kind = 'domicile' AND upper_inf(m.valid) AND upper_inf(m.known)
    JOIN register_residence r ON r.person_id = s.person_id AND r.kind = 'domicile' AND upper_inf(r.valid) AND upper_inf(r.known)
    WHERE upper_inf(s.valid) AND upper_inf(s.known) AND s.registration_state = '1' AND s.died_on IS NULL AND s.birth_on IS NOT NULL
        AND r.division_now LIKE '99%%'
), wed AS (
    SELECT person_id AS id, other_id FROM register_relation WHERE kind = 'spouse' AND upper_inf(valid) AND upper_inf(known)
)
"""


def cast() -> dict:
    """Role → who plays it. Raises AssertionError when the city holds nobody who fits."""
    setup_django()
    from django.db import connection

    from wanjia.access.api import open_account, random_password
    from wanjia.privacy.api import open_person
    from wanjia.trace.api import confirm

    assert confirm()
    taken: set[int] = set()

    def first(what: str, **given) -> dict:
        with connection.cursor() as cursor:
            cursor.execute(LIVING + what, {"taken": [0, *taken], **given})
            names = [column.name for column in cursor.description]
            row = cursor.fetchone()
        assert row is not None, f"nobody plays this: {what}"
        found = dict(zip(names, row, strict=True))
        homes = [value for name, value in found.items() if name.startswith("home")]
        with connection.cursor() as cursor:
            cursor.execute("SELECT person_id FROM register_membership WHERE household_id = ANY(%s)", [homes])
            taken.update(row[0] for row in cursor.fetchall())
        return found

    def said(person: int, element: str) -> str:
        told = open_person(person, by="cast", why="test")
        values = [one.values[element] for one in told.statements if element in one.values]
        return max(values, key=lambda value: len(value)) if values else ""

    counties = first("SELECT min(county) AS north, max(county) AS south FROM living")
    north, south = counties["north"], counties["south"]
    players = {
        "counties": counties,
        # registered elsewhere; the child enters the father's household in the north
        "mother": first(
            "SELECT id, home FROM living WHERE sex = '2' AND county <> %(north)s AND id <> ALL(%(taken)s)"
            " AND birth_on BETWEEN current_date - 14000 AND current_date - 9000"
            " AND NOT EXISTS (SELECT FROM register_relation k WHERE k.other_id = living.id AND k.kind = 'mother') ORDER BY id DESC",
            north=north,
        ),
        "father": first(
            "SELECT id, home, division FROM living WHERE sex = '1' AND county = %(north)s AND is_head AND id <> ALL(%(taken)s)"
            " AND birth_on BETWEEN current_date - 18000 AND current_date - 9500 ORDER BY id DESC",
            north=north,
        ),
        "dying_head": first(
            "SELECT h.id, h.home, array_agg(o.id ORDER BY o.birth_on) AS others FROM living h JOIN living o ON o.home = h.home AND o.id <> h.id"
            " WHERE h.is_head AND h.size BETWEEN 3 AND 4 AND h.county = %(north)s AND h.id <> ALL(%(taken)s)"
            " AND o.birth_on < current_date - 7000 GROUP BY h.id, h.home, h.size HAVING count(*) = h.size - 1 ORDER BY h.id DESC",
            north=north,
        ),
        "wife": first(
            "SELECT w.id, w.home, h.id AS husband FROM living w JOIN wed ON wed.id = w.id JOIN living h ON h.id = wed.other_id"
            " AND h.home = w.home WHERE NOT w.is_head AND h.is_head AND w.county = %(north)s AND w.id <> ALL(%(taken)s) AND w.sex = '2'"
            " ORDER BY w.id DESC",
            north=north,
        ),
        "mover": first(
            "SELECT id, home, division FROM living WHERE county = %(north)s AND NOT is_head AND id <> ALL(%(taken)s)"
            " AND birth_on BETWEEN current_date - 18000 AND current_date - 7000 ORDER BY id DESC",
            north=north,
        ),
        "host": first(
            "SELECT id, home, division FROM living WHERE county = %(south)s AND is_head AND id <> ALL(%(taken)s) ORDER BY id DESC",
            south=south,
        ),
        "misborn": first(
            "SELECT id, home, birth_on FROM living WHERE county = %(north)s AND id <> ALL(%(taken)s)"
            " AND extract(day FROM birth_on) BETWEEN 2 AND 20 ORDER BY id DESC",
            north=north,
        ),
    }
    players["entered_twice"] = first(
        "SELECT id, home FROM living WHERE county = %(north)s AND sex = '2' AND id <> ALL(%(taken)s) ORDER BY id DESC",
        north=north,
    )
    for name in ("mother", "father", "mover", "host"):
        players[name]["number"] = said(players[name]["id"], "GA01")
    accounts = {}
    for name, role in PASSWORD_ROLES.items():
        accounts[name] = random_password()
        area = {"north": north, "south": south, "chief": north}[name]
        open_account(
            username=name, display_name=name, role=role, password=accounts[name], area=area, by="test", why="test"
        )
    return {**players, "accounts": accounts}


if __name__ == "__main__":
    print(json.dumps(cast(), default=str))
