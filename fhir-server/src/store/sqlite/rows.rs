//! The rows of one resource: what it has, and making them what they shall be.

use diesel::QueryResult;

use super::link::Link;
use super::terms::Terms;
use crate::context::TenantId;
use crate::store::sql::{self, Draft, Rows};

/// The rows that a resource has.
pub(super) fn of(link: &mut Link, tenant: TenantId, resource: i64) -> QueryResult<Rows> {
    let labels: Vec<(i32, i64, i32)> = link.rows(sql::labels(tenant, resource))?;
    let spans: Vec<(i32, i64, i64, i64, i32)> = link.rows(sql::spans(tenant, resource))?;
    let places: Vec<(i32, i32, f64, f64, f64)> = link.rows(sql::places(tenant, resource))?;
    let places = places.into_iter();
    Ok(Rows {
        labels: labels.into_iter().collect(),
        spans: spans.into_iter().collect(),
        places: places
            .map(|(parameter, part, x, y, z)| (parameter, part, [x, y, z].map(f64::to_bits)))
            .collect(),
    })
}

/// Writes what is new and takes away what is no more; what stays is not touched.
pub(super) fn change(
    link: &mut Link,
    terms: &mut Terms,
    (tenant, resource): (TenantId, i64),
    before: &Rows,
    draft: &Draft,
) -> QueryResult<()> {
    let numbers = draft.terms().iter().map(|term| terms.number(link, tenant, term));
    let numbers = numbers.collect::<QueryResult<Vec<i64>>>()?;
    let after = draft.rows(&numbers);
    for label in before.labels.difference(&after.labels) {
        link.run(sql::delete_label(tenant, resource, label))?;
    }
    for span in before.spans.difference(&after.spans) {
        link.run(sql::delete_span(tenant, resource, span))?;
    }
    for place in before.places.difference(&after.places) {
        link.run(sql::delete_place(tenant, resource, place))?;
    }
    for label in after.labels.difference(&before.labels) {
        link.run(sql::insert_label(tenant, resource, label))?;
    }
    for span in after.spans.difference(&before.spans) {
        link.run(sql::insert_span(tenant, resource, span))?;
    }
    for place in after.places.difference(&before.places) {
        link.run(sql::insert_place(tenant, resource, place))?;
    }
    Ok(())
}
