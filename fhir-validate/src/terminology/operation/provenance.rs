//! What an expansion says of itself: the parameters that shaped it, what it rests on, and its identifier.

use fhir_model::{
    AnyValue, Extension, ValueSetExpansionParameter, ValueSetExpansionParameterValue as ParameterValue,
};

use super::input::Input;
use crate::terminology::code_system::Content;
use crate::terminology::extension;
use crate::terminology::set::{Compiled, Hit};
use crate::terminology::status;

/// Parameters that an expansion repeats, since they shape it.
const REPEATED: [&str; 12] = [
    "filter",
    "count",
    "offset",
    "activeOnly",
    "excludeNested",
    "excludeNotForUI",
    "includeDesignations",
    "designation",
    "property",
    "system-version",
    "check-system-version",
    "force-system-version",
];

/// Says that there are more codes, where only a part of a code system is held.
pub(super) fn unclosed(compiled: &Compiled) -> Vec<Extension> {
    let all = compiled.with_imports();
    let mut systems = all.iter().flat_map(|c| &c.systems);
    let fragment = systems.find(|s| s.head.content == Content::Fragment);
    let Some(system) = fragment else { return Vec::new() };
    let reason = format!(
        "This extension is based on a fragment of the code system {}",
        system.head.url
    );
    vec![
        extension::new(extension::UNCLOSED, AnyValue::Boolean(true.into())),
        extension::new(extension::UNCLOSED_REASON, AnyValue::String(reason.into())),
    ]
}

/// A parameter with a text.
pub(super) fn string(name: &str, text: &str) -> ValueSetExpansionParameter {
    parameter(name, ParameterValue::String(text.into()))
}

fn parameter(name: &str, value: ParameterValue) -> ValueSetExpansionParameter {
    ValueSetExpansionParameter {
        name: name.into(),
        value: Some(value),
        ..ValueSetExpansionParameter::default()
    }
}

/// The parameters of the request that shape the expansion.
pub(super) fn repeated(input: &Input<'_>) -> Vec<ValueSetExpansionParameter> {
    let all = REPEATED
        .iter()
        .flat_map(|name| input.all(name).map(move |p| (name, p)));
    let parameters = all.filter_map(|(name, p)| {
        let value = match p.value.as_ref()? {
            AnyValue::Boolean(yes) => ParameterValue::Boolean(yes.clone()),
            AnyValue::Integer(number) => ParameterValue::Integer(number.clone()),
            AnyValue::Decimal(number) => ParameterValue::Decimal(number.clone()),
            AnyValue::Code(code) => ParameterValue::Code(code.clone()),
            AnyValue::Uri(uri) | AnyValue::Canonical(uri) | AnyValue::Url(uri) => {
                ParameterValue::Uri(uri.clone())
            }
            other => ParameterValue::String(extension::text(other)?.into()),
        };
        Some(parameter(name, value))
    });
    parameters.collect()
}

/// What the expansion rests on, and what is to be said about that.
pub(super) fn used(compiled: &Compiled) -> Vec<ValueSetExpansionParameter> {
    let uri = |name: &str, canonical: &str| parameter(name, ParameterValue::Uri(canonical.into()));
    let all = compiled.with_imports();
    let mut found: Vec<(&'static str, String)> = Vec::new();
    let systems = all.iter().flat_map(|c| &c.systems);
    for system in systems {
        found.push(("used-codesystem", system.canonical()));
        if system.head.content == Content::Fragment {
            found.push(("used-fragment", system.canonical()));
        }
    }
    let imported = all.iter().skip(1).filter(|c| !c.contained);
    found.extend(imported.map(|c| ("used-valueset", c.label.clone())));
    let supplements = all.iter().flat_map(|c| c.supplements.iter().cloned());
    found.extend(supplements.map(|s| ("used-supplement", s)));
    found.extend(
        status::warnings(compiled)
            .into_iter()
            .map(|w| (w.parameter, w.canonical)),
    );
    found.sort();
    found.dedup();
    found
        .iter()
        .map(|(name, canonical)| uri(name, canonical))
        .collect()
}

/// The URN of a UUID (of version 8) that is made of what the expansion holds.
pub(super) fn identifier(
    label: &str,
    parameters: &[ValueSetExpansionParameter],
    codes: &[Hit<'_>],
) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut take = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    };
    take(label);
    codes.iter().filter_map(Hit::code).for_each(&mut take);
    let shaping = parameters
        .iter()
        .filter(|p| p.name != "count" && p.name != "offset");
    for parameter in shaping {
        take(parameter.name.as_str().unwrap_or(""));
        take(&format!("{:?}", parameter.value));
    }
    let hash = (hash & !(0xf << 76) & !(0xc << 60)) | (0x8 << 76) | (0x8 << 60);
    let hex = format!("{hash:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or("").to_owned();
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}
