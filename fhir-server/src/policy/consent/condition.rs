//! Which data a provision is about, as a filter on the rows of a resource.
//!
//! Invariant: of a denial the filter lets through at least what is meant, of a permission at most.
//!
//! - A code is looked for in all codings of the content, its narrative aside.
//! - A level of confidentiality is a high-water mark: a permission of `R` covers `R` and what is lower or has no level; a denial of `R`
//!   covers `R` and what is higher. Sensitivities include those below them.
//! - `dataPeriod` is held against every date in the rows: a denial covers what has any date in it, and what has no date.
//! - `related` and `dependents` of a denial cover what the resource refers to and what refers to it; of a permission `related` covers what
//!   it refers to, `dependents` what refers to it. `authoredby` of a denial covers whatever names the author; a permission by author is void.

use super::super::label::labelled;
use super::super::patients::has;
use super::codes;
use super::directive::{Class, Data, Meaning, Provision};
use crate::error::{Error, Result};
use crate::search::registry::Registry;
use crate::store::{Compare, Filter, ResourceType, SystemTest, Test, ValueKind};

/// What kind of condition narrows a provision most: the more, the more specific.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    #[default]
    WholeRecord,
    Period,
    Label,
    Class,
    Code,
    Linked,
    Instance,
}

/// The most specific of a provision's own conditions.
pub(crate) fn about(provision: &Provision) -> About {
    if provision.vague {
        return About::WholeRecord;
    }
    let data = provision.data.iter().map(|data| match data.meaning {
        Meaning::Instance => About::Instance,
        _ => About::Linked,
    });
    let others = [
        (!provision.codes.is_empty(), About::Code),
        (!provision.classes.is_empty(), About::Class),
        (!provision.labels.is_empty(), About::Label),
        (provision.data_period.is_some(), About::Period),
    ];
    let others = others
        .into_iter()
        .filter(|(some, _)| *some)
        .map(|(_, about)| about);
    data.chain(others).max().unwrap_or_default()
}

/// What the provision's own conditions let through.
pub(crate) fn filter(provision: &Provision, denies: bool) -> Result<Filter> {
    if provision.vague {
        return Ok(if denies { Filter::All } else { Filter::None });
    }
    let classes = any(&provision.classes, class)?;
    let codes = any(&provision.codes, |(system, code)| {
        let system = system.clone().map_or(SystemTest::Any, SystemTest::Is);
        let code = Some(vec![code.clone()]);
        Ok(Filter::Any(Test::Token { system, code }))
    })?;
    let labels = any(&provision.labels, |(system, code)| label(system, code, denies))?;
    let data = any(&provision.data, |data| linked(data, denies))?;
    let period = provision
        .data_period
        .map_or(Filter::All, |span| dated(span, denies));
    Ok(classes.and(codes).and(labels).and(data).and(period))
}

/// What any of them lets through; everything where there are none.
fn any<T>(all: &[T], each: impl Fn(&T) -> Result<Filter>) -> Result<Filter> {
    if all.is_empty() {
        return Ok(Filter::All);
    }
    all.iter()
        .try_fold(Filter::None, |any, one| Ok(any.or(each(one)?)))
}

fn class(class: &Class) -> Result<Filter> {
    match class {
        Class::Type(one) => Ok(Filter::Types(vec![*one])),
        Class::Profile(url) => {
            let profile = Registry::r4().find(None, "_profile");
            let profile = profile.ok_or_else(|| Error::internal("no search parameter `_profile`"))?;
            let test = Test::Uri {
                uri: url.split('|').next().unwrap_or(url).to_owned(),
                version: None,
            };
            Ok(has(profile.number, test))
        }
    }
}

fn label(system: &str, code: &str, denies: bool) -> Result<Filter> {
    if !codes::is_confidentiality(system) {
        return labelled(system, codes::sensitivities(code));
    }
    let from = codes::from_level(code, denies).unwrap_or_default();
    let those = match from.is_empty() {
        true => Filter::None,
        false => labelled(system, from)?,
    };
    Ok(if denies { those } else { those.not() })
}

fn dated((first, last): (i64, i64), denies: bool) -> Filter {
    let test = |compare| Filter::Any(Test::Date(compare, first, last));
    match denies {
        true => test(Compare::Ap).or(Filter::Any(Test::Exists(ValueKind::Date)).not()),
        false => test(Compare::Eq).and(test(Compare::Ne).not()),
    }
}

fn linked(data: &Data, denies: bool) -> Result<Filter> {
    let itself = || Filter::Resource(data.key.clone());
    let refers = || {
        Filter::Any(Test::ReferenceTo {
            resource_type: data.key.resource_type,
            ids: vec![data.key.id.clone()],
        })
    };
    Ok(match (data.meaning, denies) {
        (Meaning::Instance, _) => itself(),
        (Meaning::Related | Meaning::Dependents, true) => itself()
            .or(refers())
            .or(referred_to_by(data.key.resource_type, itself())),
        (Meaning::Related, false) => itself().or(referred_to_by(data.key.resource_type, itself())),
        (Meaning::Dependents, false) => itself().or(refers()),
        (Meaning::AuthoredBy, true) => refers(),
        (Meaning::AuthoredBy, false) => Filter::None,
    })
}

/// What that resource refers to, by whatever parameter.
fn referred_to_by(resource_type: ResourceType, itself: Filter) -> Filter {
    let links = Registry::r4().of(resource_type).filter(|parameter| {
        parameter.is_indexed() && parameter.value_kinds().contains(&ValueKind::Reference)
    });
    let numbers = links
        .map(|parameter| parameter.number)
        .chain([crate::search::belongs::NAMED]);
    numbers.fold(Filter::None, |any, parameter| {
        any.or(Filter::ReferredToBy {
            resource_type,
            parameter,
            filter: Box::new(itself.clone()),
        })
    })
}
