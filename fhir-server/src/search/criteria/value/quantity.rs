//! Values of type quantity (<https://hl7.org/fhir/R4/search.html#quantity>): `[prefix]number|system|code`. Units of UCUM are compared in
//! base units, so that `5.4|http://unitsofmeasure.org|mg` finds 0.0054 g.

use super::super::escape;
use super::super::facet::Facet;
use super::number::Asked;
use super::prefix;
use crate::error::Result;
use crate::search::{malformed, ucum};
use crate::store::{Aspect, Compare, Criterion, Test, UnitTest};

/// Compares with a quantity.
pub(super) fn compared(facet: &Facet<'_>, compare: Option<Compare>, value: &str) -> Result<Criterion> {
    let no = || {
        let expected = format!(
            "a number, number|system|code or number||code, {} (a bar within a code as \\|)",
            prefix::EXPECTED
        );
        malformed(facet.code, value, &expected)
    };
    let parts: Vec<&str> = escape::split(value, '|').into_iter().map(str::trim).collect();
    let (number, system, code) = match parts.as_slice() {
        [number] => (*number, "", ""),
        [number, system, code] => (*number, *system, *code),
        _ => return Err(no()),
    };
    let asked = Asked::read(compare, number).ok_or_else(no)?;
    let (system, code) = (escape::plain(system), escape::plain(code));
    let unit = match (system.is_empty(), code.is_empty()) {
        (true, true) => UnitTest::Any,
        (true, false) => UnitTest::Named(code),
        (false, false) => match in_base_units(&asked, &system, &code) {
            Some((low, high, unit)) => {
                return Ok(Criterion {
                    parameter: facet.number.of(Aspect::Canonical),
                    test: Test::Quantity(asked.compare, low, high, unit),
                });
            }
            None => UnitTest::Coded { system, code },
        },
        (false, true) => return Err(no()),
    };
    let (low, high) = asked.ends(asked.low.to_f64(), asked.high.to_f64());
    Ok(Criterion {
        parameter: facet.number,
        test: Test::Quantity(asked.compare, low, high, unit),
    })
}

fn in_base_units(asked: &Asked, system: &str, code: &str) -> Option<(f64, f64, UnitTest)> {
    if system != ucum::SYSTEM {
        return None;
    }
    let (low, units) = ucum::canonical(&asked.low.to_text(), code)?;
    let (high, _) = ucum::canonical(&asked.high.to_text(), code)?;
    let (low, high) = asked.ends(low, high);
    // The index keeps base units without a system, as it keeps no others in that aspect.
    Some((low, high, UnitTest::Named(units)))
}
