//! What a validator's questions about codes cost: once a value set is compiled, and the first time.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use fhir_validate::terminology::{CodeQuery, Library, Terminology};

const GENDER: &str = "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1";
const ENCOUNTER: &str = "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

fn code(code: &str) -> CodeQuery<'_> {
    CodeQuery {
        code,
        ..CodeQuery::default()
    }
}

fn questions(c: &mut Criterion) {
    let library = Library::built_in();
    let coding = CodeQuery {
        system: Some(ACT_CODE),
        display: Some("ambulatory"),
        ..code("AMB")
    };
    let snomed = CodeQuery {
        system: Some("http://snomed.info/sct"),
        ..code("73211009")
    };
    c.bench_function("a code of an element", |b| {
        b.iter(|| library.validate_code(black_box(GENDER), &code("female")))
    });
    c.bench_function("a code of an element that is misspelled", |b| {
        b.iter(|| library.validate_code(black_box(GENDER), &code("femal")))
    });
    c.bench_function("a coding with its display, by a filter on a hierarchy", |b| {
        b.iter(|| library.validate_code(black_box(ENCOUNTER), &coding))
    });
    c.bench_function("a coding of a code system that is not held", |b| {
        b.iter(|| library.validate_code(black_box("http://hl7.org/fhir/ValueSet/condition-code"), &snomed))
    });
    c.bench_function("a look-up", |b| b.iter(|| library.look_up(black_box(&coding))));
    c.bench_function("an empty layer, and the first question to it", |b| {
        b.iter(|| Library::over(Arc::clone(&library)).validate_code(black_box(ENCOUNTER), &coding))
    });
}

criterion_group!(benches, questions);
criterion_main!(benches);
