//! The JSON reader: whatever comes in it answers, and what it takes can be written and read again as the same.

#![no_main]

use fhir_model::json;
use fhir_model::read::ReadOptions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let strict = json::from_slice(text);
    match json::read(text, &ReadOptions::lenient()) {
        Ok(read) if read.unknown.is_empty() => assert_eq!(strict.as_ref().ok(), Some(&read.value)),
        Ok(_) => assert!(strict.is_err(), "lenient reading alone leaves elements out"),
        Err(_) => assert!(strict.is_err(), "lenient reading takes what strict reading takes"),
    }
    match strict {
        Ok(resource) => {
            let written = json::to_vec(&resource);
            let back = json::from_slice(&written).expect("what was written can be read");
            assert_eq!(back, resource);
            assert_eq!(json::to_vec(&back), written);
            let (traced, _) = json::read_traced(text, &ReadOptions::default()).expect("tracing refuses nothing");
            assert_eq!(traced, resource);
        }
        Err(error) => assert!(!error.issues.is_empty() && error.issues.iter().all(|i| i.line > 0 && i.column > 0)),
    }
});
