//! The XML reader: whatever comes in it answers, and what it takes can be written and read again as the same.

#![no_main]

use fhir_model::read::ReadOptions;
use fhir_model::xml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let strict = xml::from_slice(text);
    match xml::read(text, &ReadOptions::lenient()) {
        Ok(read) if read.unknown.is_empty() => assert_eq!(strict.as_ref().ok(), Some(&read.value)),
        Ok(_) => assert!(strict.is_err(), "lenient reading alone leaves elements out"),
        Err(_) => assert!(strict.is_err(), "lenient reading takes what strict reading takes"),
    }
    match strict {
        Ok(resource) => {
            let written = xml::to_vec(&resource).expect("what came from XML can be written as XML");
            let back = xml::from_slice(&written).expect("what was written can be read");
            assert_eq!(back, resource);
            assert_eq!(xml::to_vec(&back).ok(), Some(written));
        }
        Err(error) => assert!(!error.issues.is_empty() && error.issues.iter().all(|i| i.line > 0 && i.column > 0)),
    }
});
