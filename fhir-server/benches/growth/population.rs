//! [`Population`]: invented patients with what belongs to them: an encounter, a condition, a blood pressure, a weight and a prescription
//! each, and the practices that they are registered with. Each follows from the seed and its number alone, so that a query can be
//! made for a patient without looking anything up.

use crate::SEED;
use crate::dice::Dice;

/// Patients of one practice.
const PRACTICE: u64 = 250;
/// Patients that share a rare diagnosis.
const RARE: u64 = 20;

const SYLLABLES: [&str; 40] = [
    "ba", "den", "fol", "gar", "hin", "jor", "kel", "lam", "mor", "nis", "ot", "pra", "quen", "ras", "sel",
    "tun", "ul", "ver", "wis", "yar", "zan", "bro", "cas", "dri", "eb", "flo", "gre", "hal", "ing", "jan",
    "kro", "lin", "mas", "nor", "ock", "pel", "rud", "stan", "thor", "wel",
];
const CITIES: [&str; 8] = ["Leeds", "York", "Bath", "Truro", "Derby", "Wells", "Ripon", "Ely"];
const COMMON: [&str; 6] = [
    "38341003",
    "195967001",
    "44054006",
    "84114007",
    "73211009",
    "40930008",
];

/// So many patients.
pub(crate) struct Population {
    pub(crate) patients: u64,
}

/// A patient, and what a query of theirs needs to know.
pub(crate) struct Person {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) encounter: String,
    pub(crate) family: String,
    pub(crate) given: String,
    pub(crate) birth: (u64, u64, u64),
    pub(crate) seen: (u64, u64, u64),
    pub(crate) identifier: String,
    pub(crate) city: &'static str,
    pub(crate) rare: String,
    others: [String; 4],
}

fn day(dice: &mut Dice, first: u64, years: u64) -> (u64, u64, u64) {
    (first + dice.below(years), 1 + dice.below(12), 1 + dice.below(28))
}

fn name(dice: &mut Dice, syllables: usize) -> String {
    let text: String = (0..syllables).map(|_| dice.pick(&SYLLABLES)).collect();
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// A date as FHIR writes it.
pub(crate) fn date((year, month, day): (u64, u64, u64)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// The id of a practice.
pub(crate) fn practice(number: u64) -> String {
    Dice::new(SEED ^ 1, number).uuid()
}

impl Population {
    /// How many resources they are.
    pub(crate) fn resources(&self) -> u64 {
        self.patients * 6 + self.patients.div_ceil(PRACTICE)
    }

    /// The patient of that number.
    pub(crate) fn person(&self, number: u64) -> Person {
        let mut dice = Dice::new(SEED, number);
        Person {
            number,
            id: dice.uuid(),
            encounter: dice.uuid(),
            family: name(&mut dice, 4),
            given: name(&mut dice, 2),
            birth: day(&mut dice, 1925, 100),
            seen: day(&mut dice, 2006, 20),
            identifier: format!("{:010}", 9_000_000_000 + number * 7),
            city: dice.pick(&CITIES),
            rare: format!("9{:08}", number / RARE),
            others: [(); 4].map(|()| dice.uuid()),
        }
    }

    /// Transactions that put all of them in, so many patients each.
    pub(crate) fn transactions(&self, each: u64) -> impl Iterator<Item = String> {
        let starts = (0..self.patients).step_by(usize::try_from(each).unwrap());
        starts.map(move |start| {
            let people = start..self.patients.min(start + each);
            let entries: Vec<String> = people.flat_map(|number| self.entries(number)).collect();
            format!(
                r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
                entries.join(",")
            )
        })
    }

    fn entries(&self, number: u64) -> Vec<String> {
        let person = self.person(number);
        let mut entries = vec![
            entry("Patient", &person.id, &person.patient()),
            entry("Encounter", &person.encounter, &person.encounter()),
            entry("Condition", &person.others[0], &person.condition()),
            entry("Observation", &person.others[1], &person.pressure()),
            entry("Observation", &person.others[2], &person.weight()),
            entry("MedicationRequest", &person.others[3], &person.prescription()),
        ];
        if number.is_multiple_of(PRACTICE) {
            let place = number / PRACTICE;
            let body = format!(r#","active":true,"name":"Practice {place}""#);
            entries.push(entry("Organization", &practice(place), &body));
        }
        entries
    }
}

fn entry(resource_type: &str, id: &str, members: &str) -> String {
    format!(
        r#"{{"resource":{{"resourceType":"{resource_type}","id":"{id}"{members}}},"request":{{"method":"PUT","url":"{resource_type}/{id}"}}}}"#
    )
}

impl Person {
    /// One in a thousand, of whom something is unusual.
    pub(crate) fn is_odd(&self) -> bool {
        self.number % 1_000 == 7
    }

    fn subject(&self) -> String {
        format!(
            r#""subject":{{"reference":"Patient/{}"}},"encounter":{{"reference":"Encounter/{}"}}"#,
            self.id, self.encounter
        )
    }

    fn patient(&self) -> String {
        let birth = match self.is_odd() {
            true => String::new(),
            false => format!(r#","birthDate":"{}""#, date(self.birth)),
        };
        let gender = ["female", "male"][usize::from(self.number.is_multiple_of(2))];
        let practice = practice(self.number / PRACTICE);
        format!(
            r#","identifier":[{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{}"}}],"active":true,"name":[{{"use":"official","family":"{}","given":["{}"]}}],"telecom":[{{"system":"phone","value":"01632 {:06}"}}],"gender":"{gender}"{birth},"address":[{{"line":["{} Mill Lane"],"city":"{}","postalCode":"ZZ{} {}AA"}}],"generalPractitioner":[{{"reference":"Organization/{practice}"}}]"#,
            self.identifier,
            self.family,
            self.given,
            self.number % 1_000_000,
            1 + self.number % 90,
            self.city,
            1 + self.number % 99,
            self.number % 10,
        )
    }

    fn encounter(&self) -> String {
        let day = date(self.seen);
        format!(
            r#","status":"finished","class":{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}},"subject":{{"reference":"Patient/{}"}},"period":{{"start":"{day}T09:30:00Z","end":"{day}T09:50:00Z"}}"#,
            self.id
        )
    }

    fn condition(&self) -> String {
        let code = match self.number % 3 {
            0 => &self.rare,
            _ => COMMON[usize::try_from(self.number).unwrap() % COMMON.len()],
        };
        format!(
            r#","clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}}]}},"code":{{"coding":[{{"system":"http://snomed.info/sct","code":"{code}"}}]}},{},"onsetDateTime":"{}""#,
            self.subject(),
            date(self.seen)
        )
    }

    fn pressure(&self) -> String {
        let component = |code: &str, value: u64| {
            format!(
                r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"valueQuantity":{{"value":{value},"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}"#
            )
        };
        format!(
            r#","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel"}}]}},{},"effectiveDateTime":"{}T09:35:00Z","component":[{},{}]"#,
            self.subject(),
            date(self.seen),
            component("8480-6", 90 + self.number % 70),
            component("8462-4", 50 + self.number % 40),
        )
    }

    /// Odd people are light, and nobody's weight is preliminary but theirs.
    fn weight(&self) -> String {
        let (grams, status) = match self.is_odd() {
            true => (2_000 + self.number % 1_000, "preliminary"),
            false => (40_000 + (self.number * 37) % 70_000, "final"),
        };
        format!(
            r#","status":"{status}","code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7","display":"Body weight"}}]}},{},"effectiveDateTime":"{}T09:36:00Z","valueQuantity":{{"value":{}.{:03},"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}"#,
            self.subject(),
            date(self.seen),
            grams / 1_000,
            grams % 1_000,
        )
    }

    /// Half of the prescriptions are active, half are for one medicine, and only for odd people both is true.
    fn prescription(&self) -> String {
        let (status, code) = match (self.number % 2, self.is_odd()) {
            (0, _) => ("active", "322236009"),
            (_, true) => ("active", "318420003"),
            (_, false) => ("completed", "318420003"),
        };
        format!(
            r#","status":"{status}","intent":"order","medicationCodeableConcept":{{"coding":[{{"system":"http://snomed.info/sct","code":"{code}"}}]}},{},"authoredOn":"{}""#,
            self.subject(),
            date(self.seen)
        )
    }
}
