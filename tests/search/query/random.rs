//! Random queries of every kind.
//!
//! Left out, because they are still being built or answered by what a test's resources cannot hold: the systems that elements of type
//! `code` imply, chains and includes over canonicals, `_filter`, orders over several types, full text, contained resources, terminology.

use fhir_model::definitions::{SearchParamType as Type, SearchParameter, compartment, search_parameters_of};

use super::choose::{date_about, values};
use super::{Criterion, Include, Link, Place, Query, Sought};
use crate::data::TYPES;
use crate::evaluate::{World, parameter};
use crate::random::Random;

/// What every type has.
const COMMON: [&str; 6] = ["_tag", "_security", "_profile", "_source", "_id", "_lastUpdated"];

/// A query that the server must answer with 200.
pub(crate) fn query(world: &World, random: &mut Random) -> Query {
    let (place, kind) = place(random);
    let counts_only = random.chance(8);
    let mut query = Query {
        is_post: random.chance(15) && !matches!(place, Place::Compartment(..)),
        place,
        criteria: Vec::new(),
        sort: sort(random, kind.as_deref()),
        count: random
            .chance(50)
            .then(|| *random.pick(&[0, 1, 2, 3, 5, 7, 20, 1000])),
        total: random
            .chance(20)
            .then(|| *random.pick(&["none", "estimate", "accurate"])),
        counts_only,
        includes: Vec::new(),
    };
    // Most with one, so that much is found and everything of it is looked at.
    for _ in 0..*random.pick(&[1, 1, 1, 1, 2, 2, 3, usize::from(kind.is_none())]) {
        query.criteria.push(criterion(world, random, kind.as_deref()));
    }
    if !counts_only && random.chance(25) {
        let kind = kind.unwrap_or_else(|| random.text(&TYPES));
        query.includes = (0..=random.below(2))
            .filter_map(|_| include(random, &kind))
            .collect();
    }
    query
}

/// Where to search, and the type whose parameters may be used, if it is one.
fn place(random: &mut Random) -> (Place, Option<String>) {
    let kind = random.text(&TYPES);
    match random.below(10) {
        0 => {
            let kinds = (0..random.below(4))
                .map(|_| random.text(&TYPES))
                .collect::<std::collections::BTreeSet<_>>();
            (Place::Types(kinds.into_iter().collect()), None)
        }
        1 => {
            let around = random.text(&["Patient", "Practitioner", "Encounter"]);
            let centre = format!("{around}/{}{}", around.to_lowercase(), random.within(4, 11));
            let is_member = kind == around || !compartment(&around).unwrap().params(&kind).is_empty();
            match is_member && random.chance(75) {
                true => (Place::Compartment(centre, Some(kind.clone())), Some(kind)),
                false => (Place::Compartment(centre, None), None),
            }
        }
        _ => (Place::Type(kind.clone()), Some(kind)),
    }
}

fn sort(random: &mut Random, kind: Option<&str>) -> Vec<(String, bool)> {
    let mut sort: Vec<(String, bool)> = Vec::new();
    let sorted = |p: &&SearchParameter| {
        p.expression.is_some()
            && matches!(
                p.type_,
                Type::Date | Type::String | Type::Number | Type::Token | Type::Uri
            )
    };
    let mut codes: Vec<&str> = kind.map_or(Vec::new(), |kind| {
        search_parameters_of(kind)
            .filter(sorted)
            .map(|p| p.code)
            .collect()
    });
    codes.extend(["_id", "_lastUpdated"]);
    while random.chance(45) && sort.len() < 4 {
        let code = random.text(&codes);
        if sort.iter().all(|(known, _)| *known != code) {
            sort.push((code, random.chance(50)));
        }
    }
    sort
}

fn include(random: &mut Random, kind: &str) -> Option<Include> {
    let is_back = random.chance(50);
    let iterate = random.chance(35);
    let link =
        |parameter: &&SearchParameter| parameter.type_ == Type::Reference && parameter.expression.is_some();
    let whole = |code: &str, source: Option<String>, target: Option<String>| Include {
        is_back,
        iterate,
        source,
        code: code.to_owned(),
        target,
    };
    if !is_back && random.chance(12) {
        return Some(whole("*", None, None));
    }
    // Back from any type that may refer to those of the matches, forward from them; iterated, from anywhere.
    let source = match is_back || iterate {
        true => random.text(&TYPES),
        false => kind.to_owned(),
    };
    if random.chance(15) {
        return Some(whole("*", Some(source), None));
    }
    let links: Vec<&SearchParameter> = search_parameters_of(&source).filter(link).collect();
    let parameter = links.get(random.below(links.len()))?;
    let target = parameter
        .target
        .get(random.below(parameter.target.len()))
        .map(|target| (*target).to_owned());
    Some(whole(
        parameter.code,
        Some(source),
        target.filter(|_| random.chance(30)),
    ))
}

fn criterion(world: &World, random: &mut Random, kind: Option<&str>) -> Criterion {
    loop {
        let Some(kind) = kind else {
            let code = random.text(&COMMON);
            let typed = random.text(&TYPES);
            match end(world, random, &typed, &code) {
                Some(criterion) => return criterion,
                None => continue,
            }
        };
        if random.chance(3) {
            let list = Sought::Text(
                world
                    .held
                    .iter()
                    .find(|held| held.kind == "List")
                    .map_or("0".to_owned(), |held| held.id.clone()),
            );
            return Criterion {
                links: Vec::new(),
                code: "_list".to_owned(),
                modifier: None,
                values: vec![list],
            };
        }
        let links = if random.chance(30) { 1 + random.below(3) } else { 0 };
        if let Some(criterion) = linked(world, random, kind, links) {
            return criterion;
        }
    }
}

/// A criterion at the end of so many links from a type.
fn linked(world: &World, random: &mut Random, kind: &str, links: usize) -> Option<Criterion> {
    let mut at = kind.to_owned();
    let mut path = Vec::new();
    for _ in 0..links {
        let (link, next) = match random.chance(60) {
            true => forward(random, &at)?,
            false => back(random, &at)?,
        };
        path.push(link);
        at = next;
    }
    let codes: Vec<&str> = search_parameters_of(&at)
        .map(|p| p.code)
        .filter(|code| !["_text", "_content", "_query"].contains(code))
        .collect();
    let code = random.text(&codes);
    let mut criterion = end(world, random, &at, &code)?;
    // Without a type only where all types that know the parameter compare it in the same way.
    if let [Link::Forward { code, target }] = path.as_mut_slice()
        && random.chance(40)
        && is_plain(kind, code, &at, &criterion.code)
    {
        *target = None;
    }
    criterion.links = path;
    Some(criterion)
}

/// Whether a parameter at the other end of a link is of one type, whichever type of resource is there.
fn is_plain(from: &str, link: &str, target: &str, code: &str) -> bool {
    let type_of = |kind: &str| parameter(kind, code).map(|p| p.type_);
    let targets = parameter(from, link).map_or(&[][..], |p| p.target);
    targets
        .iter()
        .all(|kind| type_of(kind).is_none_or(|of| Some(of) == type_of(target)))
}

/// Along a reference to a type that there are resources of.
fn forward(random: &mut Random, from: &str) -> Option<(Link, String)> {
    let leads =
        |p: &&SearchParameter| p.type_ == Type::Reference && p.target.iter().any(|t| TYPES.contains(t));
    let links: Vec<&SearchParameter> = search_parameters_of(from).filter(leads).collect();
    let link = links.get(random.below(links.len()))?;
    let targets: Vec<&str> = link
        .target
        .iter()
        .copied()
        .filter(|t| TYPES.contains(t))
        .collect();
    let target = random.text(&targets);
    Some((
        Link::Forward {
            code: link.code.to_owned(),
            target: Some(target.clone()),
        },
        target,
    ))
}

/// Back along a reference from a type that there are resources of.
fn back(random: &mut Random, to: &str) -> Option<(Link, String)> {
    let mut links = Vec::new();
    for kind in TYPES {
        let leads = |p: &&SearchParameter| p.type_ == Type::Reference && p.target.contains(&to);
        links.extend(search_parameters_of(kind).filter(leads).map(|p| (kind, p.code)));
    }
    let (kind, code) = *links.get(random.below(links.len()))?;
    Some((
        Link::Back {
            kind: kind.to_owned(),
            code: code.to_owned(),
        },
        kind.to_owned(),
    ))
}

/// A criterion on a parameter of a type.
fn end(world: &World, random: &mut Random, kind: &str, code: &str) -> Option<Criterion> {
    let of = |modifier: Option<&str>, values| Criterion {
        links: Vec::new(),
        code: code.to_owned(),
        modifier: modifier.map(str::to_owned),
        values,
    };
    let held = random.below(world.held.len());
    match code {
        "_id" => {
            let ids = (0..=random.below(3))
                .map(|_| Sought::Text(random.pick(&world.held).id.clone()))
                .collect();
            Some(of(random.chance(15).then_some("not"), ids))
        }
        "_lastUpdated" => {
            let changed = world.held[held].changed;
            Some(of(None, vec![date_about(random, changed)]))
        }
        _ => {
            let (modifier, values) = values(world, random, kind, parameter(kind, code)?)?;
            Some(of(modifier.as_deref(), values))
        }
    }
}
