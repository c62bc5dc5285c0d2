//! The shapes of queries.

use crate::population::{Person, date, practice};

/// A shape of queries.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// What it finds does not grow with the data.
    pub(crate) selective: bool,
    /// The path and query for a person; the last is of the time when the newest resources were written.
    pub(crate) path: fn(&Person, &str) -> String,
}

const fn few(name: &'static str, path: fn(&Person, &str) -> String) -> Shape {
    Shape {
        name,
        selective: true,
        path,
    }
}

const fn many(name: &'static str, path: fn(&Person, &str) -> String) -> Shape {
    Shape {
        name,
        selective: false,
        path,
    }
}

const NHS: &str = "https://fhir.nhs.uk/Id/nhs-number";
const PRESSURE: &str = "http://loinc.org|85354-9";

/// Each of them.
const ALL: &[Shape] = &[
    few("read", |p, _| format!("Patient/{}", p.id)),
    few("_id", |p, _| format!("Patient?_id={}", p.id)),
    few("identifier, with its system", |p, _| {
        format!("Patient?identifier={NHS}|{}", p.identifier)
    }),
    few("identifier, of any system", |p, _| {
        format!("Patient?identifier={}", p.identifier)
    }),
    few("family", |p, _| format!("Patient?family={}", p.family)),
    few("family:exact", |p, _| {
        format!("Patient?family:exact={}", p.family)
    }),
    few("given and day of birth", |p, _| {
        format!("Patient?given={}&birthdate={}", p.given, date(p.birth))
    }),
    few("gender and day of birth", |p, _| {
        format!("Patient?gender=male&birthdate={}", date(p.birth))
    }),
    few("births from one day to the next", |p, _| {
        let (year, month, day) = p.birth;
        let next = date((year, month, day + 1));
        format!("Patient?birthdate=ge{}&birthdate=lt{next}", date(p.birth))
    }),
    few("births before the first", |_, _| {
        "Patient?birthdate=lt1925-01-03".into()
    }),
    few("patients of a practice", |p, _| {
        format!(
            "Patient?general-practitioner=Organization/{}&_count=20",
            practice(p.number / 250)
        )
    }),
    few("observations of a patient", |p, _| {
        format!("Observation?patient={}", p.id)
    }),
    few("observations of a patient with a code", |p, _| {
        format!("Observation?patient={}&code={PRESSURE}", p.id)
    }),
    few("observations of a patient, newest first", |p, _| {
        format!("Observation?patient={}&_sort=-date&_count=1", p.id)
    }),
    few("chain to an identifier", |p, _| {
        format!("Observation?patient.identifier={NHS}|{}", p.identifier)
    }),
    few("chain to a name, with a code", |p, _| {
        format!("Observation?subject:Patient.family={}&code={PRESSURE}", p.family)
    }),
    few("_has a rare diagnosis", |p, _| {
        format!("Patient?_has:Condition:patient:code={}", p.rare)
    }),
    few("_has an encounter", |p, _| {
        format!("Patient?_has:Encounter:patient:_id={}", p.encounter)
    }),
    few("with _include", |p, _| {
        format!(
            "Condition?patient={}&_include=Condition:patient&_include=Condition:encounter",
            p.id
        )
    }),
    few("with _revinclude", |p, _| {
        format!(
            "Patient?_id={}&_revinclude=Observation:patient&_revinclude=Condition:patient",
            p.id
        )
    }),
    few("compartment, one type", |p, _| {
        format!("Patient/{}/Observation", p.id)
    }),
    few("compartment, all types", |p, _| format!("Patient/{}/*", p.id)),
    few("$everything", |p, _| format!("Patient/{}/$everything", p.id)),
    few("$everything in a range", |p, _| {
        format!("Patient/{}/$everything?start={}", p.id, date(p.seen))
    }),
    few("_lastUpdated, the newest", |_, newest| {
        format!("Observation?_lastUpdated=ge{newest}&_count=20&_total=none")
    }),
    few("_sort by day of birth, the first ten", |_, _| {
        "Patient?_sort=birthdate&_count=10&_total=none".into()
    }),
    few("_sort by name, the first ten", |_, _| {
        "Patient?_sort=family&_count=10&_total=none".into()
    }),
    few("_sort by -date within a code, the first ten", |_, _| {
        format!("Observation?code={PRESSURE}&_sort=-date&_count=10&_total=none")
    }),
    few("newest of a common code", |_, _| {
        format!("Observation?code={PRESSURE}&_count=20&_total=none")
    }),
    many("births of three years", |p, _| {
        let year = p.birth.0;
        format!(
            "Patient?birthdate=ge{year}-01-01&birthdate=lt{}-01-01&_count=20",
            year + 3
        )
    }),
    many("encounters of a day", |p, _| {
        format!("Encounter?date={}&_count=20", date(p.seen))
    }),
    many("a common code, with its total", |_, _| {
        format!("Observation?code={PRESSURE}&_count=20")
    }),
    many("a city and a gender", |p, _| {
        format!("Patient?address-city={}&gender=female&_count=20", p.city)
    }),
    many("_summary=count of a type", |_, _| "Patient?_summary=count".into()),
    many("birthdate:missing, one in a thousand", |_, _| {
        "Patient?birthdate:missing=true&_count=20".into()
    }),
    many("a status of one in two thousand", |_, _| {
        "Observation?status=preliminary&_count=20".into()
    }),
    many("less than an amount, one in two thousand", |_, _| {
        "Observation?value-quantity=lt3|http://unitsofmeasure.org|kg&_count=20".into()
    }),
    many("two that are common and rarely both true", |_, _| {
        "MedicationRequest?status=active&code=http://snomed.info/sct|318420003&_count=20".into()
    }),
];

/// Those that the command line names, or all.
pub(crate) fn wanted() -> Vec<&'static Shape> {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_wanted =
        |shape: &&Shape| words.is_empty() || words.iter().any(|word| shape.name.contains(word.as_str()));
    ALL.iter().filter(is_wanted).collect()
}
