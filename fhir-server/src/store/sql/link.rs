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
                self.of_types(&mut out, targets)?;
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
                out.push("(+r.type = ? AND ", [Bind::Small(source.number())]);
                filter::push(&mut out, self, filter)?;
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

    /// A resource of one of the types that its filter lets through; types with the same filter go together.
    fn of_types<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        targets: &'a [(ResourceType, Filter)],
    ) -> Result<()> {
        let mut groups: Vec<(&Filter, Vec<Bind<'_>>)> = Vec::new();
        for (resource_type, filter) in targets {
            let number = Bind::Small(resource_type.number());
            match groups.iter_mut().find(|(of, _)| *of == filter) {
                Some((_, numbers)) => numbers.push(number),
                None => groups.push((filter, vec![number])),
            }
        }
        out.push("(FALSE", []);
        for (filter, numbers) in groups {
            out.push(" OR (", []);
            list(out, "(+r.type IN (", numbers, Names::resource("r"));
            out.push(" AND ", []);
            filter::push(out, self, filter)?;
            out.push(")", []);
        }
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
        out.push("k.surrogate AS s FROM (", []);
        self.by_type(out, from, RESOURCES, 0);
        out.push(
            ") f CROSS JOIN label l CROSS JOIN term n CROSS JOIN resource k WHERE l.tenant = ? AND l.resource = f.s AND ",
            [tenant()],
        );
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
        out.push("l.resource AS s FROM (", []);
        self.by_type(
            out,
            from,
            (
                "SELECT n.number FROM term n WHERE n.tenant = ? AND n.kind = ? AND ",
                "(n.head IN (",
            ),
            REFERENCE,
        );
        out.push(
            ") w CROSS JOIN label l WHERE l.tenant = ? AND ",
            [Bind::Big(self.tenant.0)],
        );
        numbers(out, parameters);
        out.push(" AND l.term = w.number", []);
        out.push(self.row_guard(), []);
    }

    /// What those keys give, a part of a union for each type: databases seek for each part, and not for each part of an OR.
    fn by_type<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        keys: &'a [Key],
        (of_type, of_id): (&'static str, &'static str),
        offset: i16,
    ) {
        let mut types: Vec<ResourceType> = keys.iter().map(|key| key.resource_type).collect();
        types.sort();
        types.dedup();
        // Without any, nothing: no type has the number 0.
        let numbers = types.iter().map(|of| of.number() + offset);
        let numbers = numbers.chain(types.is_empty().then_some(0));
        for (i, number) in numbers.enumerate() {
            out.push(if i == 0 { "" } else { " UNION ALL " }, []);
            out.push(of_type, [Bind::Big(self.tenant.0), Bind::Small(number)]);
            let of_this = keys
                .iter()
                .filter(|key| key.resource_type.number() + offset == number);
            let ids = of_this.map(|key| Bind::Owned(id::pack(&key.id))).collect();
            list(out, of_id, ids, Names::resource("l"));
        }
    }
}

/// The resources of keys, and the list of their ids.
const RESOURCES: (&str, &str) = (
    "SELECT f.surrogate AS s FROM resource f WHERE f.tenant = ? AND f.type = ? AND ",
    "(f.id IN (",
);

impl Lists {
    /// The surrogates of what has a term for one of the last parameters that one of those has for one of the first.
    fn by_url<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        from: &'a [Key],
        (first, last): (&'a [ParameterNumber], &'a [ParameterNumber]),
    ) {
        let tenant = || Bind::Big(self.tenant.0);
        out.push("k.resource AS s FROM (", []);
        self.by_type(out, from, RESOURCES, 0);
        out.push(
            ") f CROSS JOIN label l CROSS JOIN label k WHERE l.tenant = ? AND l.resource = f.s AND ",
            [tenant()],
        );
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
