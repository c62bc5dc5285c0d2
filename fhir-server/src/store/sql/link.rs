//! The statement that follows links: `_include` and `_revinclude`.
//!
//! Invariant: the filter of each type is in its row set.

use super::filter::{self, list};
use super::index::{REFERENCE, class};
use super::list::{Lists, limit};
use super::read::VersionQuery;
use super::row::{DELETED, VERSION_COLUMNS};
use super::statement::{Bind, Names, Statement};
use crate::error::Result;
use crate::store::{Filter, Key, Link, LinkQuery, ParameterNumber, ResourceType, id};

impl Lists {
    /// The current resources that are linked to some, newest change first.
    pub(crate) fn linked<'a>(self, query: &'a LinkQuery) -> Result<VersionQuery<'a>> {
        let mut out = Statement::new(VERSION_COLUMNS, []);
        out.push(" FROM (SELECT DISTINCT ", []);
        match &query.link {
            Link::Forward {
                parameters,
                urls,
                targets,
            } => {
                match urls.as_slice() {
                    [] => self.forward(&mut out, &query.from, parameters),
                    urls => self.by_url(&mut out, &query.from, (parameters, urls)),
                }
                self.resource(&mut out);
                out.push("(FALSE", []);
                for (resource_type, filter) in targets {
                    self.of_type(&mut out, *resource_type, filter)?;
                }
                out.push(")", []);
            }
            Link::Backward {
                parameters,
                urls,
                source,
                filter,
            } => {
                match urls.as_slice() {
                    [] => self.backward(&mut out, &query.from, parameters),
                    urls => self.by_url(&mut out, &query.from, (urls, parameters)),
                }
                self.resource(&mut out);
                out.push("(FALSE", []);
                self.of_type(&mut out, *source, filter)?;
                out.push(")", []);
            }
        }
        out.push(" ORDER BY +r.stamp DESC LIMIT ?", [limit(query.count)]);
        Ok(out)
    }

    fn resource<ST>(self, out: &mut Statement<'_, ST>) {
        out.push(
            ") d CROSS JOIN resource r WHERE r.tenant = ? AND r.surrogate = d.s AND r.change < ?",
            [Bind::Big(self.tenant.0), Bind::Small(DELETED)],
        );
        out.push(self.guard, []);
        out.push(" AND ", []);
    }

    fn of_type<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        resource_type: ResourceType,
        filter: &'a Filter,
    ) -> Result<()> {
        out.push(" OR (+r.type = ? AND ", [Bind::Small(resource_type.number())]);
        filter::push(out, self, filter)?;
        out.push(")", []);
        Ok(())
    }

    /// The surrogates of what those refer to.
    fn forward<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
    ) {
        let tenant = || Bind::Big(self.tenant.0);
        out.push(
            "k.surrogate AS s FROM resource f CROSS JOIN label l CROSS JOIN term n CROSS JOIN resource k\
             \x20WHERE f.tenant = ? AND ",
            [tenant()],
        );
        by_type(out, from, ("(f.type = ? AND ", "(f.id IN ("), 0);
        out.push(" AND l.tenant = ? AND l.resource = f.surrogate AND ", [tenant()]);
        match parameters {
            [] => out.push("(l.term & 7) = ?", [Bind::Big(class::REFERENCE)]),
            some => numbers(out, some),
        }
        out.push(
            " AND n.tenant = ? AND n.number = l.term AND n.kind > 100 AND k.tenant = ? AND k.type = n.kind - 100\
             \x20AND k.id = n.head",
            [tenant(), tenant()],
        );
        out.push(self.row_guard(), []);
    }

    /// The surrogates of what refers to those.
    fn backward<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
    ) {
        let tenant = || Bind::Big(self.tenant.0);
        out.push(
            "l.resource AS s FROM term n CROSS JOIN label l WHERE n.tenant = ? AND ",
            [tenant()],
        );
        by_type(out, from, ("(n.kind = ? AND ", "(n.head IN ("), REFERENCE);
        out.push(" AND l.tenant = ? AND ", [tenant()]);
        numbers(out, parameters);
        out.push(" AND l.term = n.number", []);
        out.push(self.row_guard(), []);
    }
}

impl Lists {
    /// The surrogates of what has a term for one of the last parameters that one of those has for one of the first.
    fn by_url<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        from: &'a [Key],
        (first, last): (&'a [ParameterNumber], &'a [ParameterNumber]),
    ) {
        let tenant = || Bind::Big(self.tenant.0);
        out.push(
            "k.resource AS s FROM resource f CROSS JOIN label l CROSS JOIN label k WHERE f.tenant = ? AND ",
            [tenant()],
        );
        by_type(out, from, ("(f.type = ? AND ", "(f.id IN ("), 0);
        out.push(" AND l.tenant = ? AND l.resource = f.surrogate AND ", [tenant()]);
        numbers(out, first);
        out.push(" AND k.tenant = ? AND ", [tenant()]);
        let last = last.iter().map(|p| Bind::Int(p.0)).collect();
        list(out, "(k.parameter IN (", last, Names::resource("k"));
        out.push(" AND k.term = l.term", []);
        out.push(self.row_guard(), []);
    }
}

fn numbers<ST>(out: &mut Statement<'_, ST>, parameters: &[ParameterNumber]) {
    let numbers = parameters.iter().map(|p| Bind::Int(p.0)).collect();
    list(out, "(l.parameter IN (", numbers, Names::resource("l"));
}

/// One of those keys.
fn by_type<'a, ST>(
    out: &mut Statement<'a, ST>,
    keys: &'a [Key],
    (of_type, of_id): (&'static str, &'static str),
    offset: i16,
) {
    let mut types: Vec<ResourceType> = keys.iter().map(|key| key.resource_type).collect();
    types.sort();
    types.dedup();
    if types.is_empty() {
        return out.push("FALSE", []);
    }
    for (i, resource_type) in types.into_iter().enumerate() {
        out.push(if i == 0 { "(" } else { " OR " }, []);
        out.push(of_type, [Bind::Small(resource_type.number() + offset)]);
        let of_this = keys.iter().filter(|key| key.resource_type == resource_type);
        let ids = of_this.map(|key| Bind::Owned(id::pack(&key.id))).collect();
        list(out, of_id, ids, Names::resource("l"));
        out.push(")", []);
    }
    out.push(")", []);
}
