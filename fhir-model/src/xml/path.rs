//! Places in a resource, as FHIRPath.

use std::fmt::Write as _;

/// How much of a name is shown; names of unknown elements may be long.
const SHOWN: usize = 100;

/// A step of a path: an element's name, and its index where it repeats.
pub(super) struct Step<'a> {
    pub(super) name: &'a str,
    pub(super) index: Option<usize>,
}

/// The steps as text, such as `Patient.name[0].given[1]`.
pub(super) fn render(steps: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in steps {
        if !text.is_empty() {
            text.push('.');
        }
        text.extend(step.name.chars().take(SHOWN));
        if let Some(index) = step.index {
            // Writing to a String cannot fail.
            let _ = write!(text, "[{index}]");
        }
    }
    text
}
