//! [`Include`]: `_include` and `_revinclude` (<https://hl7.org/fhir/R4/search.html#revinclude>).

use fhir_model::definitions::SearchParamType;

use crate::error::{Error, ErrorCode, Result};
use crate::interaction::query::malformed;
use crate::search::criteria::Scope;
use crate::search::registry::Parameter;
use crate::store::{ParameterNumber, ResourceType};

/// What is added to the matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Include {
    /// Which way.
    pub(super) direction: Direction,
    /// The type whose references are followed; `None` is any.
    pub(super) source: Option<ResourceType>,
    /// Its reference parameters; none is all there are.
    pub(super) parameters: Vec<ParameterNumber>,
    /// The types at the other end; none is any.
    pub(super) targets: Vec<ResourceType>,
    /// Those of its parameters that may refer by canonical URL.
    pub(super) canonicals: Vec<ParameterNumber>,
    /// What canonical URLs at the other end are found by.
    pub(super) urls: Vec<ParameterNumber>,
    /// Also for what was added.
    pub(super) iterate: bool,
}

/// Which way an include goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// `_include`: to what the matches refer to.
    Forward,
    /// `_revinclude`: to what refers to the matches.
    Backward,
}

impl Include {
    /// Reads one; `None` where the parameter is neither.
    ///
    /// # Errors
    /// It is malformed, or names what there is not.
    pub(super) fn read(scope: &Scope<'_>, name: &str, value: &str) -> Result<Option<Include>> {
        let (code, modifier) = name.split_once(':').map_or((name, None), |(c, m)| (c, Some(m)));
        let direction = match code {
            "_include" => Direction::Forward,
            "_revinclude" => Direction::Backward,
            _ => return Ok(None),
        };
        let iterate = match modifier {
            None => false,
            Some("iterate") => true,
            Some(other) => {
                let short: String = other.chars().take(40).collect();
                let text = format!("The parameter {code} takes :iterate alone, not \":{short}\".");
                return Err(Error::new(ErrorCode::Value, text).at(format!("http.{code}")));
            }
        };
        let include = Include {
            iterate,
            ..path(scope, direction, code, value.trim())?
        };
        Ok(Some(include))
    }
}

/// `Type:code`, `Type:code:Target`, `Type:*` or, forwards, `*`.
fn path(scope: &Scope<'_>, direction: Direction, code: &str, value: &str) -> Result<Include> {
    let whole = Include {
        direction,
        source: None,
        parameters: Vec::new(),
        targets: Vec::new(),
        canonicals: Vec::new(),
        urls: Vec::new(),
        iterate: false,
    };
    let parts: Vec<&str> = value.split(':').collect();
    let (source, link, target) = match parts.as_slice() {
        ["*"] if direction == Direction::Forward => {
            return Ok(Include {
                canonicals: scope.registry.canonicals().to_vec(),
                urls: urls(scope, &[]),
                ..whole
            });
        }
        ["*"] => {
            return Err(malformed(
                code,
                value,
                "the type that refers, such as Observation:*",
            ));
        }
        [source, link] => (*source, *link, None),
        [source, link, target] => (*source, *link, Some(*target)),
        _ => {
            return Err(malformed(
                code,
                value,
                "Type:code or Type:code:TargetType, such as Observation:subject:Patient; * for any code",
            ));
        }
    };
    let source = named(code, source)?;
    let target = target.map(|name| named(code, name)).transpose()?;
    let links = links(scope, code, source, link)?;
    let aims = |parameter: &&Parameter| {
        target.is_none_or(|t| parameter.targets.is_empty() || parameter.targets.contains(&t))
    };
    let aimed: Vec<&Parameter> = links.iter().copied().filter(aims).collect();
    // Any reference of a type that has none is followed to nothing.
    if aimed.is_empty() && !(link == "*" && target.is_none()) {
        let expected = "a target type that the parameter may refer to";
        return Err(malformed(code, value, expected));
    }
    let any_target = target.is_none() && aimed.iter().any(|p| p.targets.is_empty());
    let targets = match target {
        Some(one) => vec![one],
        None if any_target => Vec::new(),
        None => {
            let mut all: Vec<_> = aimed.iter().flat_map(|p| p.targets.iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
    };
    let canonicals = aimed.iter().filter(|p| p.may_be_canonical());
    Ok(Include {
        source: Some(source),
        parameters: aimed.iter().map(|p| p.number).collect(),
        canonicals: canonicals.map(|p| p.number).collect(),
        urls: urls(scope, &targets),
        targets,
        ..whole
    })
}

/// What canonical URLs of those types are found by; without types, of any.
fn urls(scope: &Scope<'_>, types: &[ResourceType]) -> Vec<ParameterNumber> {
    match types {
        [] => ResourceType::all().flat_map(|t| scope.registry.urls(t)).collect(),
        some => some.iter().flat_map(|t| scope.registry.urls(*t)).collect(),
    }
}

/// The reference parameters that a code stands for.
fn links<'s>(scope: &Scope<'s>, code: &str, source: ResourceType, link: &str) -> Result<Vec<&'s Parameter>> {
    let is_link =
        |parameter: &&Parameter| parameter.kind == SearchParamType::Reference && parameter.is_indexed();
    if link == "*" {
        return Ok(scope.registry.of(source).filter(is_link).collect());
    }
    match scope.registry.find(Some(source), link).filter(is_link) {
        Some(parameter) => Ok(vec![parameter]),
        None => {
            let expected = format!("a search parameter of type reference of {}", source.name());
            Err(malformed(code, link, &expected))
        }
    }
}

fn named(code: &str, name: &str) -> Result<ResourceType> {
    ResourceType::from_name(name)
        .ok_or_else(|| malformed(code, name, "a resource type of R4, such as Patient"))
}

/// Refuses more includes than the limit.
pub(super) fn check_number(scope: &Scope<'_>, includes: usize) -> Result<()> {
    let limit = scope.limits.includes;
    match includes <= limit {
        true => Ok(()),
        false => {
            let text = format!("The query has {includes} _include and _revinclude; the limit is {limit}.");
            Err(Error::new(ErrorCode::TooCostly, text).at("http._include"))
        }
    }
}
