//! Fields that ask for records: a read by id, a search, and a search as a connection
//! (<https://hl7.org/fhir/R4/graphql.html#searching>).

use async_graphql_parser::types::{Field, SelectionSet};
use fhir_model::Resource;
use fhir_model::reflect::Complex;

use super::Page;
use super::argument::Arguments;
use super::evaluate::{Evaluator, Focus, Inherited, alias, id_of, none_left};
use super::output::{Item, Object, quoted};
use super::query::wrong;
use super::select::Child;
use crate::error::Result;
use crate::store::ResourceType;

impl Evaluator<'_> {
    /// A read or a search.
    pub(super) async fn records_field(
        &self,
        field: &Field,
        child: Option<Child>,
        around: Option<&dyn Complex>,
        out: &mut Object,
    ) -> Result<()> {
        let mut arguments = Arguments::of(self.query, field)?;
        match child {
            Some(Child::Read(resource_type)) => {
                let id = arguments.text("id")?;
                let id = id.ok_or_else(|| wrong(format!("{} takes an id.", field.name.node)))?;
                none_left(arguments, field)?;
                let reference = format!("{}/{id}", resource_type.name());
                if let Some(resource) = self.ask(self.records.read(&reference)).await? {
                    let item = self.whole(&resource, &field.selection_set.node).await?;
                    out.add(alias(field), item, false, false)?;
                }
                Ok(())
            }
            Some(Child::List(resource_type)) => {
                let page = self.search(resource_type, arguments, around).await?;
                for resource in &page.matches {
                    let item = self.whole(resource, &field.selection_set.node).await?;
                    out.add(alias(field), item, true, false)?;
                }
                Ok(())
            }
            Some(Child::Connection(resource_type)) => {
                let page = self.search(resource_type, arguments, around).await?;
                let connection = self.connection(&page, &field.selection_set.node).await?;
                out.add(alias(field), Item::Object(connection), false, false)
            }
            _ => Err(wrong(format!(
                "There is no field {:?} here.",
                field.name.node.as_str()
            ))),
        }
    }

    async fn whole(&self, resource: &Resource, set: &SelectionSet) -> Result<Item> {
        self.count()?;
        let focus = Focus::whole(resource.as_complex());
        let mut object = Object::default();
        self.object(focus, set, Inherited::default(), &mut object).await?;
        Ok(Item::Object(object))
    }

    /// `_reference` names the parameter by which what is searched refers to the resource around the field.
    async fn search(
        &self,
        resource_type: ResourceType,
        mut arguments: Arguments,
        around: Option<&dyn Complex>,
    ) -> Result<Page> {
        let by = arguments.text("_reference")?;
        let cursor = arguments.text("_cursor")?;
        // Names in GraphQL have no dash: an underscore stands for it.
        let mut parameters: Vec<_> = arguments.rest()?;
        for (name, _) in &mut parameters {
            let dashed = name.trim_start_matches('_').replace('_', "-");
            let lead: String = name.chars().take_while(|c| *c == '_').collect();
            *name = lead + &dashed;
        }
        match (by, around.and_then(|r| Some((r, id_of(r)?)))) {
            (Some(by), Some((resource, id))) => {
                parameters.push((
                    by.replace('_', "-"),
                    format!("{}/{id}", resource.type_info().name),
                ));
            }
            (Some(_), None) => return Err(wrong("_reference needs a resource around the search.".into())),
            (None, _) => {}
        }
        if let Some(cursor) = cursor {
            parameters.push(("_cursor".into(), cursor));
        }
        self.ask(self.records.search(resource_type, parameters)).await
    }

    async fn connection(&self, page: &Page, set: &SelectionSet) -> Result<Object> {
        let mut out = Object::default();
        let mut fields = Vec::new();
        self.query.fields(set, &["Connection"], 0, &mut fields)?;
        for field in fields {
            let number = |n: Option<u64>| n.map(|n| Item::Text(n.to_string()));
            let item = match field.name.node.as_str() {
                "count" => number(page.total),
                "offset" => None,
                "pagesize" => number(u64::try_from(page.size).ok()),
                "next" => page.next.as_ref().map(|cursor| Item::Text(quoted(cursor))),
                "edges" => {
                    for resource in &page.matches {
                        let edge = self.edge(resource, &field.selection_set.node).await?;
                        out.add(alias(field), Item::Object(edge), true, false)?;
                    }
                    None
                }
                _ => None,
            };
            if let Some(item) = item {
                out.add(alias(field), item, false, false)?;
            }
        }
        Ok(out)
    }

    async fn edge(&self, resource: &Resource, set: &SelectionSet) -> Result<Object> {
        let mut out = Object::default();
        let mut fields = Vec::new();
        self.query.fields(set, &["Edge"], 0, &mut fields)?;
        for field in fields {
            match field.name.node.as_str() {
                "mode" => out.add(alias(field), Item::Text(quoted("match")), false, false)?,
                "resource" => {
                    let item = self.whole(resource, &field.selection_set.node).await?;
                    out.add(alias(field), item, false, false)?;
                }
                // Matches have no score: they are not ranked.
                _ => {}
            }
        }
        Ok(out)
    }
}
