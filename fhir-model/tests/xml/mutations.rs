//! Mutated documents: whatever comes in, the reader answers, and what it takes can be written and read again.

use fhir_model::read::ReadOptions;
use fhir_model::{Resource, json, xml};

use crate::support::shared_files;

/// A small generator (xorshift64*): the same seed gives the same mutations everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap()
    }
}

/// Pieces that matter to a reader of XML.
const PIECES: [&str; 28] = [
    "<",
    ">",
    "/>",
    "</",
    "&",
    ";",
    "&#0;",
    "&#x1F600;",
    "&amp;",
    "\"",
    "'",
    "=",
    " value=\"\"",
    " xmlns=\"\"",
    " xmlns:a=\"urn:a\"",
    "<a:b/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?a?>",
    "<!DOCTYPE a>",
    "<extension url=\"u\">",
    "</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">",
    "\u{FEFF}",
    "\0",
    "\u{FFFE}",
];

fn mutate(text: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let at = random.below(text.len() + 1);
        let length = random.below(40).min(text.len() - at);
        match random.below(6) {
            0 => drop(text.drain(at..at + length)),
            1 => text.truncate(at),
            2 => drop(text.splice(at..at, PIECES[random.below(PIECES.len())].bytes())),
            3 => {
                let copy = text[at..at + length].to_vec();
                let to = random.below(text.len() + 1);
                drop(text.splice(to..to, copy));
            }
            4 if at < text.len() => text[at] = u8::try_from(random.below(256)).unwrap(),
            // Characters that mean something, in place of others.
            _ if at < text.len() => text[at] = b"<>/&;\"'= !?-[]:"[random.below(15)],
            _ => {}
        }
    }
}

/// What was taken must be writable, and read back as the same.
fn check(text: &[u8], resource: &Resource) {
    let shown = || String::from_utf8_lossy(text).into_owned();
    let written = xml::to_string(resource).unwrap_or_else(|e| panic!("{e}\n{}", shown()));
    let back = xml::from_str(&written).unwrap_or_else(|e| panic!("{e}\n{written}\n{}", shown()));
    assert_eq!(&back, resource, "{}", shown());
    assert_eq!(
        json::from_slice(&json::to_vec(resource)).unwrap_or_else(|e| panic!("{e}\n{}", shown())),
        back
    );
}

#[test]
fn mutated_examples_never_panic_and_come_back_if_taken() {
    let files = shared_files("examples/r4-xml", ".xml");
    let mut texts: Vec<Vec<u8>> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    texts.retain(|text| text.len() < 20_000);
    if texts.is_empty() {
        return;
    }
    let seed = 0x5EED_F41E;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..6_000 {
        let mut text = texts[round % texts.len()].clone();
        mutate(&mut text, &mut random);
        match xml::from_slice(&text) {
            Ok(resource) => {
                taken += 1;
                check(&text, &resource);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.issues.is_empty());
                assert!(
                    error
                        .issues
                        .iter()
                        .all(|i| i.line > 0 && i.column > 0 && !i.message.is_empty())
                );
            }
        }
        if round % 4 == 0 {
            drop(xml::read(&text, &ReadOptions::lenient()));
        }
    }
    println!("{taken} taken, {refused} refused");
    assert!(
        taken > 100 && refused > 1_000,
        "{taken} taken, {refused} refused: the mutations test little"
    );
}

#[test]
fn mutated_narratives_are_written_well_formed_or_not_at_all() {
    let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\" title='a'>a &amp; b&nbsp;<p class=\"x\">c<br/></p><!-- d --><![CDATA[e]]></div>";
    let mut random = Random(0xD1F);
    let mut written = 0;
    for _ in 0..4_000 {
        let mut text = div.as_bytes().to_vec();
        mutate(&mut text, &mut random);
        let Ok(text) = String::from_utf8(text) else {
            continue;
        };
        let narrative = fhir_model::Narrative {
            div: text.clone().into(),
            status: "generated".into(),
            ..Default::default()
        };
        let patient = fhir_model::Patient {
            text: narrative.into(),
            ..Default::default()
        };
        if let Ok(document) = xml::to_string(&patient.into()) {
            written += 1;
            let back = xml::from_str(&document).unwrap_or_else(|e| panic!("{e}\n{text}\n{document}"));
            assert_eq!(xml::to_string(&back).unwrap(), document, "{text}");
        }
    }
    assert!(written > 100, "{written} written");
}
