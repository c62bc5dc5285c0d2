//! Texts that mean harm, or stumble over what a database, a URL or a parser thinks of them.
//!
//! Size: one table of texts.

/// Stands in SQL fragments where a name would, so that it is known again in a statement.
pub(crate) const MARK: &str = "qzj7";

const SQL: [&str; 62] = [
    "'", "\"", "''", "`", ";", "--", "/*", "*/", "#", "\\'", "' OR '1'='1", "' OR 1=1 --", "\" OR \"\"=\"", "') OR ('1'='1",
    "'; DROP TABLE resource; --", "'; DELETE FROM history WHERE '1'='1", "1; SELECT pg_sleep(9)", "'||(SELECT pg_sleep(9))||'",
    "' UNION SELECT NULL, NULL, NULL --", "' UNION ALL SELECT body FROM resource --", "x' AND 1=(SELECT count(*) FROM term) --",
    "1) OR (1=1", "')) UNION SELECT 1 --", "' AND sleep(9) --", "'; ATTACH DATABASE 'x' AS y; --", "'; PRAGMA writable_schema=1; --",
    "'; COPY term TO PROGRAM 'id'; --", "$1", "$2", "$$", "$x$ ; SELECT 1 ; $x$", "?", "??", "?1", ":name", "@p", "@.first", "#.id",
    "x'00'", "X'41'", "E'\\x41'", "U&'\\0041'", "B'1'", "0x41", "NULL", "null", "TRUE", "1=1", "current_user", "@@version",
    "version()", "load_extension('x')", "randomblob(1e9)", "CAST(1 AS bigint)", "r.tenant", "l.parameter = 1", "FALSE OR TRUE",
    "1 COLLATE nocase", "a' LIKE '%", "a' ESCAPE '!", "char(39)", "' || 'x",
];

const WILD: [&str; 22] = [
    "%", "_", "%%", "__", "%_%", "\\%", "\\_", "\\\\", "\\", "[a-z]", "[^a]", "*", "?*", "a%", "%a", "_a_", "a\\%b", ".*", "^a$", "(a+)+$",
    "|", "||",
];

const LETTERS: [&str; 44] = [
    "\u{202e}evil", "\u{202d}", "\u{2066}a\u{2069}", "\u{200b}", "\u{200d}", "\u{feff}", "\u{ad}", "\u{301}", "e\u{301}", "é",
    "E\u{301}", "É", "ﬁ", "ß", "ẞ", "İ", "ı", "ς", "Σ", "ǅ", "Ⅳ", "１２", "٣", "日本語", "🧪", "👩‍⚕️", "🇬🇧", "\u{1f3fb}", "\u{10ffff}",
    "\u{fffd}", "\u{fffe}", "\u{e000}", "a\u{a0}b", "a\u{3000}b", "\u{2028}", "\u{85}", "\t", "\n", "\r\n", "\u{1}", "\u{7f}", "\u{b}",
    "Z̸̛a̸l̴g̷o̶", "𝓕𝓗𝓘𝓡",
];

const NUMBERS: [&str; 52] = [
    "0", "-0", "-1", "+1", "1e400", "1e-400", "1e308", "-1e308", "1e309", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "2147483648", "340282366920938463463374607431768211456", "0.1e1", "1e", "e1", ".5", "5.", "1.2.3", "1,5",
    "1_000", "0x1F", "NaN", "inf", "-inf", "Infinity", "0.000000000000000000000000000001", "99999999999999999999999999999", "1e2147483648",
    "gt", "gt-", "gt1e400", "lt-1e400", "apNaN", "ne", "nene5", "gtgt5", "ap0", "ap1e308", "eb-0", "sa9223372036854775807", "Gt5", " gt5",
    "gt 5", "5|", "|5", "5||", "5|||", "5|http://unitsofmeasure.org|", "5|http://unitsofmeasure.org|mg/{", "5||((((",
];

const DATES: [&str; 40] = [
    "0000", "0001", "9999", "10000", "-0001", "9999-12-31", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2016-12-31T23:59:60Z", "2016-12-31T24:00:00Z", "2023-02-29",
    "2024-02-30", "2024-13", "2024-00", "2024-01-00", "2024-1-1", "2024-01-01T", "2024-01-01T10", "2024-01-01T10:00+14:01",
    "2024-01-01T10:00+99:99", "2024-01-01T10:00:00.123456789123Z", "2024-01-01T10:00:00,5Z", "2024-01-01 10:00", "20240101", "2024-W01-1",
    "2024-001", "gt0001", "lt9999-12-31", "ap0001", "ap9999", "sa9999-12-31T23:59:59Z", "eb0001", "now", "today", "2024-03-31T01:30",
    "2024-10-27T01:30", "ge2024-01-01T00:00:00Zx", "２０２４",
];

const ESCAPES: [&str; 32] = [
    ",", ",,", ",a", "a,", "a,,b", "\\,", "\\\\,", "\\|", "\\$", "$", "$$", "a$", "$a", "a$b$c", "a|", "|a", "a|b|c", "|||", "\\|\\|",
    ":", "::", "a:b:c", ".", "..", "a.b.c.d.e", "a..b", "&", "=", "a=b&c=d", "+", "%2", "%zz",
];

const PATHS: [&str; 40] = [
    "../", "../../etc/passwd", "..\\..\\windows", "/", "//", "/etc/passwd", "a/b", "a/b/c/d", "Patient/", "Patient//a", "/Patient/a",
    "Patient/../Practitioner/a", "Patient/a/_history/", "Patient/a/_history/x/y", "Patient/a#b", "#", "#a", "?x=y", "http://", "https://",
    "http://localhost:8080/fhir/", "http://localhost:8080/fhir/Patient/a/../../x", "http://localhost:8080/fhir//", "http://169.254.169.254/",
    "file:///etc/passwd", "javascript:alert(1)", "urn:uuid:", "urn:oid:1.2.3", "data:text/plain,x", "ftp://x", "mailto:a@b",
    "http://[::1]/", "http://user:pass@x/", "http://x|1|2", "http://x|", "|1", "_history", "_search", "$everything", "metadata",
];

const LANGUAGES: [&str; 74] = [
    "name eq \"a\"", "name eq 'a'", "name eq", "eq", "(", ")", "((((((((", "()", "not", "not(not(not(a eq b)))", "a eq b and", "a eq b or or c",
    "name co \"%\"", "name zz \"a\"", "a[b[c[d eq e].f eq g].h eq i].j eq k", "name eq \"", "Patient.name", "name.where(family = 'a')",
    "repeat(children())", "repeat($this)", "iif(true, 1, 2)", "%resource", "%context.id", "%`ext-x`", "%terminologies", "1 / 0", "{}",
    "{} | {}", "name.combine(name).combine(name)", "(((((((((((1)))))))))))", "'a'.matches('(a+)+$')", "'a'.replaceMatches('a','b')",
    "trace('x')", "defineVariable('x')", "Patient.meta", "Patient.id", "@2024-13-01", "@T25:00", "1 'mg'", "a.b.c.d", "name[0]", "name[99999999999]",
    "name[-1]", "/name/0/family", "/name/-", "/name/00", "/meta/versionId", "/id", "/resourceType", "/~", "/~2", "/name/0/family/0",
    "[{\"op\":\"remove\",\"path\":\"/id\"}]", "f:Patient/f:name", "f:Patient/f:name[position()=last()]", "//f:name", "@id", "f:Patient/@xmlns",
    "document('http://x')", "{ Patient(id: \"a\") { id } }", "{ __schema { types { name } } }", "query { a: b(c: $d) }", "{ ...x }",
    "fragment x on y { ...x }", "{{7*7}}", "${7*7}", "${jndi:ldap://x}", "<script>alert(1)</script>", "<!DOCTYPE a [<!ENTITY b 'c'>]>&b;", "]]>",
    "<![CDATA[", "\u{0}x", "{\"a\":", "[[[[[[[[",
];

/// Bytes that are no text.
const BROKEN: [&[u8]; 14] = [
    b"\x00", b"a\x00b", b"\xff", b"\xfe\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb7\xaa", b"\xf4\x90\x80\x80",
    b"\x80", b"\xe2\x82", b"a\xcc", b"\xf0\x9f\xa7", b"\xc3\x28",
];

/// All of them, each once, at least 500.
pub(crate) fn all() -> Vec<Vec<u8>> {
    let plain = [&SQL[..], &WILD, &LETTERS, &NUMBERS, &DATES, &ESCAPES, &PATHS, &LANGUAGES];
    let mut all: Vec<Vec<u8>> = plain.into_iter().flatten().map(|text| text.as_bytes().to_vec()).collect();
    all.extend(BROKEN.iter().map(|bytes| bytes.to_vec()));
    // As part of what a search would take otherwise, and with a mark that is found again.
    for text in SQL.iter().chain(&WILD) {
        all.push(format!("{MARK}{text}").into_bytes());
        all.push(format!("{text}{MARK}").into_bytes());
    }
    for text in SQL {
        all.push(format!("http://x/{MARK}|{text}").into_bytes());
    }
    for (piece, times) in [("a", 300), ("é", 5000), ("a,", 600), ("a|", 300), ("(", 3000), ("'", 4000), ("%", 3000), ("\\", 3001), ("a.", 200)] {
        all.push(piece.repeat(times).into_bytes());
    }
    all.push("_has:Observation:patient:".repeat(10).into_bytes());
    all.push([&b"9"[..]; 400].concat());
    all.push([&b"\xf0\x9f\xa7\xaa"[..]; 2000].concat());
    all.sort_unstable();
    all.dedup();
    all
}
