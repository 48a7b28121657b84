//! The account's templates, page by page.

use shopbell_core::connector::{Link, ServiceError, Template};

use super::{Config, api};
use crate::meta::whatsapp::{is_plain_id, read_template};

/// An account has at most 6,000 templates; a hundred stand on a page.
const PAGES: usize = 60;

/// Lists them all.
pub async fn list(link: Link<'_, Config>) -> Result<Vec<Template>, ServiceError> {
    let account = link.config.business_account_id.trim();
    let mut templates = Vec::new();
    let mut after = String::new();
    for _ in 0..PAGES {
        let page = api::get(link, &format!("{account}/message_templates?fields=id,name,status,category,language,components&limit=100{after}")).await?;
        let rows = page["data"].as_array().map_or(&[][..], Vec::as_slice);
        templates.extend(rows.iter().filter_map(read_template));
        // `next` says that there is more; its address is not followed, because it repeats the token.
        match page["paging"]["cursors"]["after"].as_str().filter(|_| page["paging"]["next"].is_string()) {
            Some(cursor) if !rows.is_empty() && is_plain_id(cursor.trim_end_matches('=')) => {
                after = format!("&after={}", cursor.replace('=', "%3D"));
            }
            _ => break,
        }
    }
    Ok(templates)
}
