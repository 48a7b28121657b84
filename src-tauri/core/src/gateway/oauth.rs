//! `/oauth/callback`: where services send the browser of an owner who signs in, if they insist on a public address.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;

use super::public::{Public, caller, come_again, nothing, slower};
use crate::connector::Way;
use crate::oauth::answer;
use crate::oauth::finish::{self, Came};
use crate::oauth::pages::Page;

/// How long a browser waits while the vault is shut.
const RETRY_LOCKED: u64 = 60;

/// One browser that comes back.
pub async fn callback(State(public): State<Arc<Public>>, request: Request) -> Response {
    if *request.method() != Method::GET {
        return nothing().await;
    }
    let hub = &public.hub;
    if !hub.is_open_for_business() {
        return come_again(RETRY_LOCKED);
    }
    let (from, query) = (caller(&request), request.uri().query().unwrap_or_default().to_owned());
    let taken = async {
        let answer = answer::parameters(&query)?;
        finish::take(hub, answer, &Came::By(Way::Public, None)).await
    };
    match taken.await {
        Ok(flow) => Page::Taken(hub.sign_ins.takes_links().then_some(flow)).answer(hub),
        // Nothing can be guessed here; who tries all the same is slowed down.
        Err(_) => match public.refusals.take(from) {
            Ok(()) => Page::Unexpected.answer(hub),
            Err(wait) => slower(wait),
        },
    }
}
