//! The order of matches (<https://hl7.org/fhir/R4/search.html#sort>): what has no value last in both directions; of several values the
//! least upwards and the greatest downwards; then the newest change first.

use std::cmp::Ordering;

use fhir_model::definitions::SearchParamType as Type;

use super::{World, amount, date, parameter, text, token, uri};

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i128),
    Text(String),
    /// UUIDs come after all other ids.
    Id(bool, String),
}

impl World {
    /// The resources at those places in order.
    pub(super) fn ordered(&self, mut places: Vec<usize>, sort: &[(String, bool)]) -> Vec<usize> {
        places.sort_by(|a, b| {
            let by = |(code, falls): &(String, bool)| match (
                self.key(*a, code, *falls),
                self.key(*b, code, *falls),
            ) {
                (Some(a), Some(b)) if *falls => b.cmp(&a),
                (Some(a), Some(b)) => a.cmp(&b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            };
            let keys = sort.iter().map(by).fold(Ordering::Equal, Ordering::then);
            keys.then(self.held[*b].changed.cmp(&self.held[*a].changed))
        });
        places
    }

    fn key(&self, at: usize, code: &str, falls: bool) -> Option<Key> {
        let held = &self.held[at];
        match code {
            "_lastUpdated" => return Some(Key::Number(i128::from(held.changed))),
            "_id" => {
                return Some(Key::Id(
                    held.id.len() == 36 && held.id.split('-').count() == 5,
                    held.id.clone(),
                ));
            }
            _ => {}
        }
        let parameter = parameter(&held.kind, code)?;
        let values = self.values(parameter, at);
        let number = |(low, high): (i128, i128)| Key::Number(if falls { high } else { low });
        let keys = values.iter().flat_map(|found| match parameter.type_ {
            Type::Date => date::span_of(found)
                .map(|(first, last)| number((i128::from(first), i128::from(last))))
                .into_iter()
                .collect(),
            Type::Number => amount::of(found)
                .map(|amount| number((amount.low, amount.high)))
                .into_iter()
                .collect(),
            Type::String => text::texts(found)
                .iter()
                .map(|text| Key::Text(text::plain(text)))
                .collect(),
            Type::Uri => uri::bare(found).map(Key::Text).into_iter().collect::<Vec<_>>(),
            _ => {
                let spelled =
                    |(system, code): (Option<String>, String)| match token::is_exact(system.as_deref()) {
                        true => Key::Text(code),
                        false => Key::Text(code.to_lowercase()),
                    };
                token::tokens(found).into_iter().map(spelled).collect()
            }
        });
        if falls { keys.max() } else { keys.min() }
    }
}
