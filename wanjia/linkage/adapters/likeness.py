"""How alike two texts are, on Spark as on DuckDB.

DuckDB's functions look at the bytes of UTF-8, those of Splink's jar at characters, and the two count half transpositions otherwise. A level
reached on one engine must be reached on the other, so Spark is taught DuckDB's way by SQL functions of the session; a text read
as ISO 8859-1 is its bytes. Spark's executors need nothing but Splink's jar for it.
"""

BYTES = "decode(encode({0}, 'UTF-8'), 'ISO-8859-1')"
#: stands for a letter that has met its like; no byte is written so
MET = "Ā"

DAMERAU = f"""CREATE OR REPLACE TEMPORARY FUNCTION damerau_of_bytes(a STRING, b STRING) RETURNS INT
RETURN CAST(damerau_levenshtein({BYTES.format("a")}, {BYTES.format("b")}) AS INT)"""

# `aggregate` over an array of one names a value: SQL functions have no local names. x, y: the two texts; reach: how far apart letters may
# stand and still meet; s.free: x with the letters that met blotted out; s.met: the letters of y that met, in order
JARO_WINKLER = f"""CREATE OR REPLACE TEMPORARY FUNCTION jaro_winkler_of_bytes(a STRING, b STRING) RETURNS DOUBLE RETURN
aggregate(array({BYTES.format("a")}), CAST(NULL AS DOUBLE), (none_1, x) ->
aggregate(array({BYTES.format("b")}), CAST(NULL AS DOUBLE), (none_2, y) ->
aggregate(array(greatest(greatest(length(x), length(y)) div 2 - 1, 0)), CAST(NULL AS DOUBLE), (none_3, reach) ->
aggregate(
  CASE WHEN y = '' THEN array() ELSE sequence(1, length(y)) END,
  named_struct('free', x, 'met', ''),
  (s, j) -> aggregate(array(locate(substr(y, j, 1),
        substr(s.free, greatest(1, j - reach), j + reach - greatest(1, j - reach) + 1))), s, (t, at) ->
    CASE WHEN at = 0 THEN t ELSE named_struct(
      'free', overlay(t.free PLACING '{MET}' FROM greatest(1, j - reach) + at - 1),
      'met', concat(t.met, substr(y, j, 1))) END),
  s -> CASE WHEN s.met = '' THEN 0.0D ELSE
    aggregate(array(
      (CAST(length(s.met) AS DOUBLE) / length(x) + CAST(length(s.met) AS DOUBLE) / length(y)
        + (length(s.met) - aggregate(
            filter(sequence(1, length(x)), i -> substr(s.free, i, 1) = '{MET}'),
            named_struct('place', 1, 'off', 0),
            (c, i) -> named_struct('place', c.place + 1,
              'off', c.off + CASE WHEN substr(x, i, 1) <> substr(s.met, c.place, 1) THEN 1 ELSE 0 END),
            c -> c.off) div 2) / CAST(length(s.met) AS DOUBLE)) / 3.0D), CAST(NULL AS DOUBLE),
      (none_4, jaro) -> CASE WHEN jaro <= 0.7D THEN jaro ELSE jaro + 0.1D * (1.0D - jaro) * aggregate(
        sequence(1, 4), 0,
        (n, i) -> CASE WHEN n = i - 1 AND i <= length(x) AND substr(x, i, 1) = substr(y, i, 1) THEN i ELSE n END) END)
  END))))"""

# The jar's own likeness is never above the true one, and below it by less than 0.2: half a transposition is at most 1/18, the bonus for a
# common beginning at most 0.12. So only pairs close under the bound are counted letter by letter. Rounded, because engines divide
# with other last digits, and 0.9 is a value that occurs.
ARE_ALIKE = f"""CREATE OR REPLACE TEMPORARY FUNCTION are_alike(a STRING, b STRING, bound DOUBLE) RETURNS BOOLEAN RETURN
aggregate(array(jaro_winkler({BYTES.format("a")}, {BYTES.format("b")})), CAST(NULL AS BOOLEAN), (none_1, guess) ->
  CASE WHEN guess >= bound THEN TRUE WHEN guess < bound - 0.2D THEN FALSE
  ELSE round(jaro_winkler_of_bytes(a, b), 9) >= bound END)"""

#: in the order they stand on each other
SPARK_FUNCTIONS = (DAMERAU, JARO_WINKLER, ARE_ALIKE)
