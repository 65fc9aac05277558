"""Data whose text YAML may read as something else."""

from hypothesis import strategies as st

SCALARS = [
    ("1e3", 1000), ("1E3", 1000), ("08", 8), ("017", 15), ("0o17", 15), ("0x1F", 31), ("0b1", 1), ("-0b1", -1),
    ("1_000", 1000), (".5", 0.5), ("+1", 1), ("-0.0", 0), ("1.", 1), ("22:22", "22:22"), ("2001-01-01", "2001-01-01"),
    ("=", "="), ("<<", "<<"), ("_1", "_1"), ("0o8", "0o8"), ("0x1p4", "0x1p4"), ("1e999", "1e999"),
    ("9223372036854775807", 2**63 - 1), ("9223372036854775808", 2.0**63), ("18446744073709551616", 2.0**64),
    ("9.223372036854775e18", 9223372036854775000), ("1e21", 1e21), ("1" * 5000, "1" * 5000),
    ("y", True), ("n", False), ("yes", True), ("No", False), ("ON", True), ("off", False), ("yES", "yES"),
    ("~", None), ("null", None), ("Null", None), ("nULL", "nULL"), ("", None), ('""', ""), ("'1'", "1"),
    ("!!str 1", "1"), ('!!int "1"', 1), ("!!float 1", 1), ("!!bool yes", True), ("!!binary aGk=", "hi"), ("! 1", "1"),
    ("!!timestamp 2001-01-01", "2001-01-01"), ("!other 1", "1"), ("!!set {a}", {"a": None}), ("!!str [1]", [1]),
]  # fmt: skip
AMBIGUOUS = [text for text, _ in SCALARS if "!" not in text] + [
    "- a", "a: b", "# c", "a #b", "  x", "x ", "a\nb\n", "a\n\nb", "\n", " a\n b\n", "#x\ny\n", "é", "\u2028", "\x85",
    "\ufeff", "\t", "a\tb", "%x", "@x", "`x", "---", "--- a", "...", "?", "? a", ":", "a:", "&a", "*a", "!a", "|", ">",
    "'", '"', "\\", "[", "{a}", ",", "a\r\nb\n", "😀", "\x07", "\x7f", "a\n---\nb\n", "a\n...\n", "1:30:00", "1.5:30",
    "2001-01-01T00:00:00Z", "2001-01-01 00:00:00", "0.", "-", "+", ".", "x" * 200, "x " * 100, "-1:30", ".inf", "NaN",
]  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(AMBIGUOUS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text("yn01e.:-_ x\n#", max_size=6),
)
NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
DATA = st.recursive(
    st.one_of(TEXT, st.none(), st.booleans(), NUMBERS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
