//! Templates: what a channel lets the shop say after the time for free answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asked::Items;
use super::connection_use::{in_time, live, ready, refused};
use super::connections::GetConnection;
use crate::connector::{GapKind, Template, TemplateStatus};
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId};
use crate::model::Content;
use crate::say;

/// The templates of a connection's account.
pub async fn list_templates(hub: &Arc<Hub>, request: GetConnection) -> Result<Items<Template>> {
    Ok(Items { items: of(hub, &request.id).await? })
}

async fn of(hub: &Arc<Hub>, connection: &ConnectionId) -> Result<Vec<Template>> {
    let live = live(hub, connection).await?;
    let Some(channel) = live.connector.channel().filter(|channel| channel.rules().templates) else { return Ok(Vec::new()) };
    in_time(channel.templates(ready(hub, &live)?)).await.map_err(|error| refused(&error))
}

/// The same content with its templates as they will read: known, allowed, every gap filled.
///
/// # Errors
/// By field: a template that is not there or may not be sent, a gap that is empty.
pub(super) async fn filled(hub: &Arc<Hub>, conversation: &ConversationId, content: Vec<Content>) -> Result<Vec<Content>> {
    if !content.iter().any(|part| matches!(part, Content::Template { .. })) {
        return Ok(content);
    }
    let id = conversation.clone();
    let connection = hub.store.read(move |db| Ok(crate::conversations::find(db, &id)?.connection)).await?;
    let known = of(hub, &connection).await?;
    let one = |(index, part): (usize, Content)| match part {
        Content::Template { id, values, .. } => {
            let Some(template) = known.iter().find(|template| template.id == id) else {
                return Err(Error::field(format!("content.{index}.id"), say!("This template is not there any more. Choose another one.")));
            };
            fill(template, values, index)
        }
        other => Ok(other),
    };
    content.into_iter().enumerate().map(one).collect()
}

fn fill(template: &Template, values: BTreeMap<String, String>, index: usize) -> Result<Content> {
    if template.status != TemplateStatus::Approved {
        return Err(Error::field(
            format!("content.{index}.id"),
            say!("The service has not approved this template, or holds it back. Choose another one."),
        ));
    }
    let empty = template.gaps.iter().find(|gap| values.get(&gap.key).is_none_or(|value| value.trim().is_empty()));
    if let Some(gap) = empty {
        return Err(Error::field(format!("content.{index}.values.{}", gap.key), say!("This is needed.")));
    }
    Ok(Content::Template {
        id: template.id.clone(),
        name: template.name.clone(),
        language: template.language.clone(),
        text: reads(template, &values),
        values,
    })
}

/// A template with its gaps filled: what the inbox and search see.
fn reads(template: &Template, values: &BTreeMap<String, String>) -> String {
    let part = |text: &str, place: &str| {
        let words = |gap: &&crate::connector::TemplateGap| gap.kind == GapKind::Text && gap.key.starts_with(place);
        template.gaps.iter().filter(words).fold(text.to_owned(), |text, gap| {
            text.replace(&format!("{{{{{}}}}}", gap.label), values.get(&gap.key).map_or("", String::as_str))
        })
    };
    let header = template.header.as_deref().map(|header| part(header, "header."));
    let parts = [header, Some(part(&template.body, "body.")), template.footer.clone()];
    parts.into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::TemplateGap;

    fn gap(key: &str, label: &str) -> TemplateGap {
        TemplateGap { key: key.into(), label: label.into(), example: None, kind: GapKind::Text }
    }

    fn template() -> Template {
        Template {
            id: "t".into(),
            name: "ready".into(),
            language: "pt_BR".into(),
            category: "utility".into(),
            status: TemplateStatus::Approved,
            header: Some("Pedido {{1}}".into()),
            body: "Olá {{1}}, {{name}} está pronto.".into(),
            footer: Some("Padaria".into()),
            buttons: Vec::new(),
            gaps: vec![gap("header.1", "1"), gap("body.1", "1"), gap("body.name", "name")],
        }
    }

    #[test]
    fn a_template_reads_as_the_customer_will_see_it() {
        let values = [("header.1", "77"), ("body.1", "Ana"), ("body.name", "o bolo")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let Content::Template { text, .. } = fill(&template(), values, 0).unwrap() else { panic!("a template") };
        assert_eq!(text, "Pedido 77\n\nOlá Ana, o bolo está pronto.\n\nPadaria");
    }

    #[test]
    fn an_empty_gap_is_named() {
        let error = fill(&template(), [("header.1".to_owned(), "77".to_owned())].into(), 2).unwrap_err();
        assert_eq!(error.fields[0].0, "content.2.values.body.1");
    }

    #[test]
    fn a_paused_template_is_refused() {
        let paused = Template { status: TemplateStatus::Paused, ..template() };
        assert_eq!(fill(&paused, BTreeMap::new(), 0).unwrap_err().fields[0].0, "content.0.id");
    }
}
