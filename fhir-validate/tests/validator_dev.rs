//! The cases of `../shared/data/suites/validator-dev`: agreement with the reference validator on what is valid.
//!
//! `validator_dev_exceptions.txt` lists the runs that differ, each with its reason. The test fails when a run starts to differ
//! or stops differing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test fails where its data are not there"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fhir_model::Resource;
use fhir_model::read::ReadOptions;
use fhir_validate::package::{Limits, Package};
use fhir_validate::{Builder, Finding, Options, ReferenceChecks, Resolver, Severity, Validator};
use serde_json::Value;

/// Finds what a case says can be resolved.
struct Files {
    folder: PathBuf,
    files: HashMap<String, String>,
    /// Anything but what is marked as not there.
    lenient: bool,
}

impl Resolver for Files {
    fn resolve(&self, reference: &str) -> Option<Resource> {
        let plain = reference.split("/_history/").next().unwrap_or(reference);
        if let Some(file) = self.files.get(plain) {
            let bytes = fs::read(self.folder.join(file)).ok()?;
            return read(&bytes).ok();
        }
        if plain == "Patient/test"
            || (self.lenient
                && plain.starts_with("http")
                && !plain.contains("example.org")
                && !plain.starts_with("http://hl7.org/fhir/invalid"))
        {
            let name = plain.rsplit('/').nth(1)?;
            return Resource::new(name);
        }
        None
    }
}

fn read(bytes: &[u8]) -> Result<Resource, fhir_model::read::ReadError> {
    if bytes.iter().find(|b| !b.is_ascii_whitespace() && **b < 0x80) == Some(&b'<') {
        fhir_model::xml::read(bytes, &ReadOptions::lenient()).map(|r| r.value)
    } else {
        fhir_model::json::read(bytes, &ReadOptions::lenient()).map(|r| r.value)
    }
}

struct Suite {
    folder: PathBuf,
    base: Validator,
    cases: Vec<Value>,
}

#[derive(Default)]
struct Score {
    runs: usize,
    agreed: usize,
    /// Expected places, and those of them that were reported; both counted double, since a parent counts half.
    places: (usize, usize),
    differences: BTreeMap<String, String>,
}

fn suite() -> Option<Suite> {
    let folder = support::shared("suites/validator-dev")?;
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let extensions = package("hl7.fhir.uv.extensions.r4-5.3.0-ballot-tc1")?;
    let options = strict();
    let base = Validator::builder().package(extensions).options(options).build();
    let cases = manifest["cases"].as_array().unwrap().clone();
    Some(Suite { folder, base, cases })
}

fn strict() -> Options {
    let mut options = Options::default();
    options.unknown_extensions = Severity::Error;
    options.unknown_codes = Severity::Error;
    options
}

impl Suite {
    fn validator(
        &self,
        case: &Value,
        supporting: &[&Value],
        profile: Option<&str>,
        profile_options: &Value,
    ) -> Validator {
        let mut builder = self.base.extend();
        for file in supporting.iter().flat_map(|s| s.as_array().into_iter().flatten()) {
            builder = add(builder, &self.folder.join(file.as_str().unwrap()));
        }
        if let Some(profile) = profile {
            builder = add(builder, &self.folder.join(profile));
        }
        let options_of = |name: &str| case["options"].get(name);
        let mut options = strict();
        options.examples = options_of("examples").and_then(Value::as_bool).unwrap_or(true);
        options.refuse_html_in_markdown = options_of("noHtmlInMarkdown")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let own = profile_options;
        let assumed = |o: &Value| o.get("assumeValidRestReferences").and_then(Value::as_bool) == Some(true);
        options.trust_reference_types = assumed(&case["options"]) || assumed(own);
        options.contained = options_of("validateContains").and_then(Value::as_str) != Some("IGNORE");
        if options_of("validateReference").is_some() {
            options.references = ReferenceChecks::Exist;
        }
        let files = case["resolvable"].as_object().into_iter().flatten();
        let files = files
            .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
            .collect();
        let now = "2026-11-26T12:00:00Z[UTC]".parse().unwrap();
        let lenient = options_of("fetcher").is_none();
        builder
            .options(options)
            .now(now)
            .resolver(Arc::new(Files {
                folder: self.folder.clone(),
                files,
                lenient,
            }))
            .build()
    }

    fn run(&self, case: &Value, profile: Option<&Value>) -> Vec<Finding> {
        let text = fs::read(self.folder.join(case["file"].as_str().unwrap())).unwrap();
        let none = Value::Null;
        let own = profile.map_or(&case["supporting"], |p| p.get("supporting").unwrap_or(&none));
        let source = profile.and_then(|p| p["source"].as_str());
        let validator = self.validator(
            case,
            &[own, &case["supporting"]],
            source,
            profile.map_or(&none, |p| &p["options"]),
        );
        let url = source
            .and_then(|s| definition(&self.folder.join(s)).ok())
            .and_then(|v| v["url"].as_str().map(str::to_owned));
        validator.validate_text(
            &text,
            &url.into_iter().collect::<Vec<_>>(),
            &ReadOptions::default(),
        )
    }
}

/// Adds a definition; one that cannot be read is not there.
fn add(builder: Builder, path: &Path) -> Builder {
    match definition(path) {
        Ok(value) => builder.definition(value),
        Err(reason) => {
            println!("{}: {reason}", path.display());
            builder
        }
    }
}

fn is_valid(findings: &[Finding]) -> bool {
    findings.iter().all(|f| f.severity < Severity::Error)
}

/// A place as it is compared: without comments and slice names.
fn plain(place: &str) -> String {
    let mut text = String::new();
    let mut rest = place;
    while let Some((before, after)) = rest.split_once("/*") {
        text.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text.split('.')
        .map(|part| part.split(':').next().unwrap_or(part))
        .collect::<Vec<_>>()
        .join(".")
}

fn compare_places(expected: &Value, findings: &[Finding], score: &mut Score) {
    let wanted: BTreeSet<String> = expected["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|e| e["expression"].as_str())
        .filter(|e| !e.starts_with('/') && !e.contains("f:"))
        .map(plain)
        .collect();
    let found: BTreeSet<String> = findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| plain(&f.expression))
        .collect();
    let parent = |p: &str| p.rsplit_once('.').map(|(before, _)| before.to_owned());
    for place in wanted {
        score.places.0 += 2;
        if found.contains(&place) {
            score.places.1 += 2;
        } else if parent(&place).is_some_and(|p| found.contains(&p))
            || found.iter().any(|f| parent(f).as_deref() == Some(&place))
        {
            score.places.1 += 1;
        }
    }
}

impl Score {
    fn add(&mut self, name: &str, expected: &Value, findings: &[Finding]) {
        let wanted = expected["valid"].as_bool().unwrap();
        self.runs += 1;
        if wanted == is_valid(findings) {
            self.agreed += 1;
            if !wanted {
                compare_places(expected, findings, self);
            }
            return;
        }
        let texts: Vec<String> = if wanted {
            findings
                .iter()
                .filter(|f| f.severity == Severity::Error)
                .take(4)
                .map(|f| format!("{}: {}", f.expression, f.message))
                .collect()
        } else {
            expected["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .take(3)
                .map(|e| format!("missed {}: {}", e["expression"], e["text"]))
                .collect()
        };
        self.differences.insert(name.to_owned(), texts.join("\n      "));
    }
}

fn exceptions() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validator_dev_exceptions.txt");
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines
        .map(|l| l.split_once(" | ").expect("a run, ` | `, and the reason"))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

#[test]
fn runs_agree_with_the_reference_validator_but_for_those_listed() {
    let Some(suite) = suite() else { return };
    let (mut base, mut profile) = (Score::default(), Score::default());
    for case in &suite.cases {
        let name = case["name"].as_str().unwrap();
        base.add(&format!("{name} base"), &case["expected"], &suite.run(case, None));
        if let Some(own) = case.get("profile") {
            profile.add(
                &format!("{name} profile"),
                &own["expected"],
                &suite.run(case, Some(own)),
            );
        }
    }
    for (kind, score) in [("base", &base), ("profile", &profile)] {
        let (all, found) = score.places;
        println!(
            "{kind} runs: {} of {} agree; {:.0} % of the expected error places",
            score.agreed,
            score.runs,
            100.0 * found as f64 / all.max(1) as f64
        );
    }
    let listed = exceptions();
    let differing: BTreeMap<&String, &String> = base.differences.iter().chain(&profile.differences).collect();
    let mut problems = Vec::new();
    for (name, texts) in &differing {
        if !listed.contains_key(*name) {
            problems.push(format!("{name} differs:\n      {texts}"));
        }
    }
    for name in listed.keys().filter(|n| !differing.contains_key(n)) {
        problems.push(format!("{name} agrees now: take it off the list"));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// A package of the shared data.
fn package(name: &str) -> Option<Package> {
    let path = support::shared(&format!("packages/{name}.tgz"))?;
    let package = Package::read(&fs::read(path).unwrap(), &Limits::default()).unwrap();
    assert_eq!(package.skipped, []);
    Some(package)
}

/// A definition in JSON or XML.
fn definition(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_some_and(|e| e == "xml") {
        fhir_validate::package::of_xml(&bytes)
    } else {
        serde_json::from_slice(&bytes).map_err(|e| e.to_string())
    }
}
