//! [`Pattern`]: the rows of one resource, to be inserted again and again under other numbers.

use std::collections::HashMap;
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

diesel::table! {
    resource (surrogate) {
        surrogate -> BigInt,
        tenant -> BigInt,
        #[sql_name = "type"]
        type_ -> BigInt,
        id -> Binary,
        version -> BigInt,
        stamp -> BigInt,
        change -> BigInt,
        encoding -> BigInt,
        stamp_at -> BigInt,
        stamp_form -> BigInt,
        body -> Binary,
    }
}

diesel::table! {
    term (number) {
        number -> BigInt,
        tenant -> BigInt,
        kind -> BigInt,
        hash -> BigInt,
        head -> Binary,
        whole -> Nullable<Binary>,
        second -> Nullable<Binary>,
        third -> Nullable<Binary>,
    }
}

diesel::table! {
    label (tenant, parameter, term, resource, part) {
        tenant -> BigInt,
        parameter -> BigInt,
        term -> BigInt,
        resource -> BigInt,
        part -> BigInt,
    }
}

diesel::table! {
    span (tenant, parameter, unit, last, first, resource, part) {
        tenant -> BigInt,
        parameter -> BigInt,
        unit -> BigInt,
        last -> BigInt,
        first -> BigInt,
        resource -> BigInt,
        part -> BigInt,
    }
}

/// A row of each table.
type Resource = (i64, i64, i64, Vec<u8>, i64, i64, i64, i64, i64, i64, Vec<u8>);
type Term = (
    i64,
    i64,
    i64,
    i64,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);
type Label = (i64, i64, i64, i64, i64);
type Span = (i64, i64, i64, i64, i64, i64, i64);

/// The rows of one resource.
pub(super) struct Pattern {
    resource: Resource,
    labels: Vec<Label>,
    spans: Vec<Span>,
    /// Terms that no other resource has: each further resource brings such ones of its own.
    terms: Vec<Term>,
}

#[derive(QueryableByName)]
struct Single {
    #[diesel(sql_type = BigInt)]
    term: i64,
}

/// The newest resources of a database.
pub(super) fn read(file: &Path) -> Vec<Pattern> {
    let mut source = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let resources: Vec<Resource> = resource::table
        .order(resource::stamp.desc())
        .limit(1_000)
        .load(&mut source)
        .unwrap();
    assert!(!resources.is_empty());
    let single: Vec<Single> = diesel::sql_query("SELECT term FROM label GROUP BY term HAVING count(*) = 1")
        .load(&mut source)
        .unwrap();
    let terms: Vec<Term> = term::table.load(&mut source).unwrap();
    let terms: HashMap<i64, Term> = terms.into_iter().map(|t| (t.0, t)).collect();
    let single: HashMap<i64, &Term> = single.iter().map(|s| (s.term, &terms[&s.term])).collect();
    let one = |resource: Resource| {
        let labels: Vec<Label> = label::table
            .filter(label::resource.eq(resource.0))
            .load(&mut source)
            .unwrap();
        let spans = span::table
            .filter(span::resource.eq(resource.0))
            .load(&mut source)
            .unwrap();
        let own = labels.iter().filter_map(|l| single.get(&l.2).copied().cloned());
        Pattern {
            terms: own.collect(),
            resource,
            labels,
            spans,
        }
    };
    resources.into_iter().map(one).collect()
}

/// As random as the ids that the server makes.
fn spread(n: i64) -> u128 {
    u128::try_from(n)
        .unwrap()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

impl Pattern {
    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        1 + self.labels.len() + self.spans.len() + self.terms.len()
    }

    /// Inserts them for the resource of that number.
    pub(super) fn insert(&self, connection: &mut SqliteConnection, n: i64) -> QueryResult<()> {
        let (_, tenant, type_, _, version, _, change, encoding, stamp_at, stamp_form, body) = &self.resource;
        diesel::insert_into(resource::table)
            .values((
                resource::surrogate.eq(n),
                resource::tenant.eq(tenant),
                resource::type_.eq(type_),
                resource::id.eq(spread(n).to_be_bytes().as_slice()),
                resource::version.eq(version),
                resource::stamp.eq(n),
                resource::change.eq(change),
                resource::encoding.eq(encoding),
                resource::stamp_at.eq(stamp_at),
                resource::stamp_form.eq(stamp_form),
                resource::body.eq(body),
            ))
            .execute(connection)?;
        for (place, (_, tenant, kind, hash, head, whole, second, third)) in (0_i64..).zip(&self.terms) {
            // A text of its own, elsewhere in the index.
            let mut head = head.clone();
            let text = spread(n * 64 + place).to_be_bytes();
            let kept = head.len().min(text.len());
            head[..kept].copy_from_slice(&text[..kept]);
            diesel::insert_into(term::table)
                .values((
                    term::number.eq((1 << 40) + n * 64 + place),
                    term::tenant.eq(tenant),
                    term::kind.eq(kind),
                    term::hash.eq(hash ^ n),
                    term::head.eq(head),
                    term::whole.eq(whole),
                    term::second.eq(second),
                    term::third.eq(third),
                ))
                .execute(connection)?;
        }
        for (tenant, parameter, number, _, part) in &self.labels {
            let own = (0_i64..).zip(&self.terms).find(|(_, t)| t.0 == *number);
            diesel::insert_into(label::table)
                .values((
                    label::tenant.eq(tenant),
                    label::parameter.eq(parameter),
                    label::term.eq(own.map_or(*number, |(place, _)| (1 << 40) + n * 64 + place)),
                    label::resource.eq(n),
                    label::part.eq(part),
                ))
                .execute(connection)?;
        }
        for (tenant, parameter, unit, last, first, _, part) in &self.spans {
            diesel::insert_into(span::table)
                .values((
                    span::tenant.eq(tenant),
                    span::parameter.eq(parameter),
                    span::unit.eq(unit),
                    span::last.eq(last),
                    span::first.eq(first),
                    span::resource.eq(n),
                    span::part.eq(part),
                ))
                .execute(connection)?;
        }
        Ok(())
    }
}
