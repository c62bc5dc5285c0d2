//! Random elements: names, addresses, codes, identifiers, dates, quantities, references.

use serde_json::{Value, json};

use super::{id, maybe};
use crate::front::BASE;
use crate::random::Random;

pub(super) const NAMES: [&str; 22] = [
    "Müller",
    "Mu\u{308}ller",
    "MULLER",
    "Muller-Lüdenscheidt",
    "O'Neill",
    "ONeill",
    "Ångström",
    "Zoë",
    "zoe",
    "van der Berg",
    "Van Der  Berg",
    "Straße",
    "STRASSE",
    "Siân",
    "Sian",
    "李",
    "Ann",
    "ann-marie",
    "A, B",
    "a|b$c",
    "back\\slash",
    "100%_x",
];
const CITIES: [&str; 6] = [
    "Leeds",
    "LEEDS",
    "São Paulo",
    "Sao Paulo",
    "Ystrad Mynach",
    "Newcastle upon Tyne",
];

/// Code systems, whether case counts in them by their own definition, and codes.
pub(crate) const SYSTEMS: [(&str, bool, &[&str]); 6] = [
    (
        "http://snomed.info/sct",
        false,
        &["73211009", "44054006", "38341003", "271649006"],
    ),
    (
        "http://loinc.org",
        false,
        &["8480-6", "8462-4", "29463-7", "LA6576-8"],
    ),
    (
        "http://terminology.hl7.org/CodeSystem/observation-category",
        true,
        &["vital-signs", "laboratory", "exam"],
    ),
    (
        "http://terminology.hl7.org/CodeSystem/v2-0203",
        false,
        &["MR", "NI", "PPN"],
    ),
    (
        "https://example.org/local",
        false,
        &["Alpha", "ALPHA", "beta-1", "b|c", "d,e", "f$g"],
    ),
    ("urn:oid:1.2.3.4", false, &["Alpha", "x1", "X1"]),
];
const WORDS: [&str; 8] = [
    "Blood pressure",
    "Pression artérielle",
    "Diabetes mellitus",
    "diabète",
    "Typ-2-Diabetes",
    "weight (kg)",
    "100% oxygen",
    "Éczema",
];

pub(super) fn words(random: &mut Random) -> Value {
    json!(random.text(&WORDS))
}

pub(super) fn coding(random: &mut Random) -> Value {
    let (system, _, codes) = *random.pick(&SYSTEMS);
    let mut coding = json!({"code": random.text(codes)});
    maybe(random, 85, &mut coding, "system", |_| json!(system));
    maybe(random, 40, &mut coding, "display", words);
    coding
}

/// With several codings, one, words alone, or next to nothing.
pub(super) fn concept(random: &mut Random) -> Value {
    match random.below(10) {
        0 | 1 => json!({"text": words(random)}),
        2 => json!({"coding": [coding(random), coding(random)], "text": words(random)}),
        3 => json!({"coding": [coding(random), coding(random), coding(random)]}),
        4 => json!({"coding": [{"system": random.pick(&SYSTEMS).0}], "text": words(random)}),
        _ => json!({"coding": [coding(random)]}),
    }
}

/// A concept of a system whose binding is required.
pub(super) fn of_system(random: &mut Random, system: &str, codes: &[&str]) -> Value {
    json!({"coding": [{"system": system, "code": random.text(codes)}]})
}

pub(super) fn identifier(random: &mut Random) -> Value {
    let mut identifier =
        json!({"value": random.text(&["9999999484", "A-1", "a-1", "x|y", "é1", "MR,7", "0042"])});
    let systems = [
        "https://fhir.nhs.uk/Id/nhs-number",
        "urn:x",
        "https://example.org/mrn",
    ];
    maybe(random, 75, &mut identifier, "system", |r| json!(r.text(&systems)));
    maybe(random, 40, &mut identifier, "type", |r| {
        let code = r.text(&["MR", "NI", "PPN"]);
        json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}], "text": words(r)})
    });
    identifier
}

pub(super) fn human_name(random: &mut Random) -> Value {
    let mut name = json!({});
    maybe(random, 85, &mut name, "family", |r| json!(r.text(&NAMES)));
    maybe(random, 75, &mut name, "given", |r| {
        json!([r.text(&NAMES), r.text(&NAMES)])
    });
    maybe(random, 20, &mut name, "prefix", |_| json!(["Dr"]));
    maybe(random, 15, &mut name, "text", |r| {
        json!(format!("Dr {}", r.text(&NAMES)))
    });
    if name["family"].is_null() {
        name["text"] = json!(random.text(&NAMES));
    }
    // An extension on a primitive, also in place of a value.
    maybe(random, 15, &mut name, "_family", |_| extension());
    if !name["given"].is_null() && random.chance(15) {
        name["given"] = json!(["Ann", null]);
        name["_given"] = json!([null, extension()]);
    }
    name
}

pub(super) fn extension() -> Value {
    json!({"extension": [{"url": "https://example.org/ext", "valueString": "Hidden"}]})
}

pub(super) fn address(random: &mut Random) -> Value {
    let mut address = json!({"city": random.text(&CITIES)});
    maybe(random, 50, &mut address, "line", |_| {
        json!(["1 High Street", "Flat 2"])
    });
    maybe(random, 50, &mut address, "postalCode", |r| {
        json!(r.text(&["LS1 4AP", "ls1", "CF82 7EP"]))
    });
    maybe(random, 30, &mut address, "country", |r| {
        json!(r.text(&["GB", "Brasil"]))
    });
    maybe(random, 40, &mut address, "use", |r| {
        json!(r.text(&["home", "work", "temp"]))
    });
    maybe(random, 20, &mut address, "state", |r| {
        json!(r.text(&["Kent", "Gwent"]))
    });
    address
}

pub(super) fn contact(random: &mut Random) -> Value {
    match random.chance(50) {
        true => json!({"system": "phone", "value": random.text(&["0113 496 0000", "+44 113 4960001"])}),
        false => {
            json!({"system": "email", "value": random.text(&["Ann@example.org", "ann@example.org", "z@example.org"])})
        }
    }
}

pub(super) fn meta(random: &mut Random) -> Value {
    let mut meta = json!({"tag": [coding(random)]});
    let profiles = [
        "https://example.org/sd/a",
        "https://example.org/sd/a/b",
        "https://example.org/sd/c|1.0",
    ];
    maybe(random, 30, &mut meta, "profile", |r| json!([r.text(&profiles)]));
    maybe(random, 30, &mut meta, "security", |r| json!([coding(r)]));
    maybe(random, 30, &mut meta, "source", |r| {
        json!(r.text(&["https://example.org/feed", "urn:feed:2"]))
    });
    meta
}

/// A day between 2018 and 2022, near the ends of months and the changes of the clock.
pub(super) fn day(random: &mut Random) -> String {
    let (month, day) = *random.pick(&[
        (1, 1),
        (1, 31),
        (3, 29),
        (3, 31),
        (6, 15),
        (10, 25),
        (10, 31),
        (12, 31),
        (2, 28),
    ]);
    format!("{}-{month:02}-{day:02}", random.within(2018, 2022))
}

/// A date of any precision.
pub(super) fn date(random: &mut Random) -> Value {
    let day = day(random);
    json!(match random.below(4) {
        0 => &day[..4],
        1 => &day[..7],
        _ => day.as_str(),
    })
}

pub(super) fn instant(random: &mut Random) -> Value {
    let zone = random.text(&["Z", "+00:00", "+01:00", "-05:00", "+13:45"]);
    let fraction = random.text(&["", "", ".5", ".250"]);
    let (hour, minute) = (random.below(24), random.pick(&[0, 30, 59]));
    json!(format!(
        "{}T{hour:02}:{minute:02}:{:02}{fraction}{zone}",
        day(random),
        random.below(60)
    ))
}

pub(super) fn date_time(random: &mut Random) -> Value {
    match random.chance(50) {
        true => date(random),
        false => instant(random),
    }
}

/// From one day to a later one; an end may be open.
pub(super) fn period(random: &mut Random) -> Value {
    let start = random.within(2018, 2020);
    let mut period = json!({});
    maybe(random, 85, &mut period, "start", |r| {
        json!(format!("{start}-0{}-15", r.within(1, 9)))
    });
    maybe(random, 70, &mut period, "end", |r| {
        json!(format!("{}-03-31T09:30:00Z", start + r.within(1, 2)))
    });
    if period.as_object().unwrap().is_empty() {
        period["start"] = json!("2019-02");
    }
    period
}

pub(super) fn timing(random: &mut Random) -> Value {
    match random.below(3) {
        0 => json!({"event": [date_time(random), date_time(random)]}),
        1 => {
            json!({"repeat": {"boundsPeriod": period(random), "frequency": 1, "period": 1, "periodUnit": "d"}})
        }
        _ => json!({"event": [date_time(random)], "repeat": {"boundsPeriod": period(random)}}),
    }
}

/// Units that convert into each other, and some that do not.
pub(crate) const UNITS: [&str; 13] = [
    "g",
    "mg",
    "ug",
    "kg",
    "cm",
    "m",
    "mm",
    "mL",
    "L",
    "mm[Hg]",
    "/min",
    "{beats}/min",
    "mmol/L",
];

pub(super) fn number(random: &mut Random) -> Value {
    let text = random.text(&[
        "0", "1", "5", "5.4", "5.40", "0.0054", "5400", "72", "100", "99.5", "100.5", "-3", "0.5", "1000",
        "180",
    ]);
    serde_json::from_str(&text).unwrap()
}

pub(super) fn quantity(random: &mut Random) -> Value {
    let mut quantity = json!({"value": number(random)});
    unit(random, &mut quantity);
    maybe(random, 20, &mut quantity, "comparator", |r| {
        json!(r.text(&["<", "<=", ">", ">="]))
    });
    quantity
}

fn unit(random: &mut Random, quantity: &mut Value) {
    let code = random.text(&UNITS);
    match random.below(6) {
        0 => {}
        1 => quantity["unit"] = json!(code),
        2 => {
            quantity["system"] = json!("https://example.org/units");
            quantity["code"] = json!(code);
        }
        _ => {
            quantity["system"] = json!("http://unitsofmeasure.org");
            quantity["code"] = json!(code);
            maybe(random, 40, quantity, "unit", |r| {
                json!(r.text(&["milligram", "mg", "beats a minute"]))
            });
        }
    }
}

/// Both ends in one unit; either may be open.
pub(super) fn range(random: &mut Random) -> Value {
    let mut low = json!({"value": random.within(1, 50)});
    unit(random, &mut low);
    let mut high = low.clone();
    high["value"] = json!(random.within(50, 200));
    match random.below(5) {
        0 => json!({"low": low}),
        1 => json!({"high": high}),
        _ => json!({"low": low, "high": high}),
    }
}

pub(super) fn age(random: &mut Random) -> Value {
    let code = random.text(&["a", "mo", "d"]);
    json!({"value": random.within(1, 90), "system": "http://unitsofmeasure.org", "code": code})
}

/// To one of those types: relative, with a version, absolute, of another server, logical, or in words alone.
pub(super) fn reference(random: &mut Random, kinds: &[&str]) -> Value {
    let kind = *random.pick(kinds);
    let key = format!("{kind}/{}", id(random, kind));
    let mut reference = match random.below(20) {
        0 => json!({"reference": format!("{BASE}/{key}")}),
        1 => json!({"reference": format!("{key}/_history/1")}),
        2 => json!({"reference": format!("https://other.example.org/r4/{key}")}),
        3 => json!({"display": "Somebody else"}),
        4 => json!({"type": kind, "identifier": identifier(random)}),
        5 => json!({"identifier": identifier(random)}),
        _ => json!({"reference": key}),
    };
    maybe(random, 15, &mut reference, "identifier", identifier);
    reference
}

/// A contained Patient, to which the subject refers.
pub(super) fn contained(random: &mut Random, resource: &mut Value) {
    let Some(subject) = resource.get_mut("subject").filter(|_| random.chance(8)) else {
        return;
    };
    *subject = json!({"reference": "#p"});
    resource["contained"] = json!([{"resourceType": "Patient", "id": "p", "name": [human_name(random)], "birthDate": date(random)}]);
}
