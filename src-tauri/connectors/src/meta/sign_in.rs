//! What signing in at Meta's services has in common: the login dialog, codes traded for long tokens, and numbered refusals.
//!
//! Meta takes an answer only at an https address that stands in the app's settings, and trades a code only for the app's secret; so every
//! owner signs in with an app of their own. See <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>.

use shopbell_core::connector::{At, CallBy, Exchange, Numbers, OAuthClient, Part, Plan, Renewal, ShownBy, TokenCall, Wanted, Way};

/// What Meta's numbered refusals mean.
pub fn numbers() -> Numbers {
    Numbers { over: vec![190, 102, 463, 467], slower: vec![4, 17, 32, 341, 613], again: vec![1, 2] }
}

/// A call with these parameters.
pub fn call(method: CallBy, url: String, parameters: &[(&str, Part)]) -> TokenCall {
    TokenCall {
        method,
        url,
        parameters: parameters.iter().map(|(name, part)| ((*name).to_owned(), part.clone())).collect(),
        numbers: numbers(),
    }
}

/// A fixed text.
pub fn fixed(text: &str) -> Part {
    Part::Fixed(text.to_owned())
}

/// Facebook Login for Business with the owner's own app: a code for a short token, that for one of sixty days, and that again for the next.
pub fn facebook(at: At<'_>, dialog: String, graph: &str, scopes: &[&str]) -> Plan {
    let client = OAuthClient::Known {
        id: at.text("app_id").unwrap_or_default().to_owned(),
        secret_field: Some("app_secret".into()),
        shown: ShownBy::Body,
    };
    let url = format!("{graph}/oauth/access_token");
    let longer = call(
        CallBy::Get,
        url.clone(),
        &[
            ("grant_type", fixed("fb_exchange_token")),
            ("client_id", Part::ClientId),
            ("client_secret", Part::ClientSecret),
            ("fb_exchange_token", Part::AccessToken),
        ],
    );
    Plan {
        scopes: scopes.iter().map(|scope| Wanted::needed(scope)).collect(),
        separator: ',',
        pkce: false,
        exchange: Exchange::Call(call(
            CallBy::Get,
            url.clone(),
            &[
                ("client_id", Part::ClientId),
                ("client_secret", Part::ClientSecret),
                ("redirect_uri", Part::RedirectUri),
                ("code", Part::Code),
            ],
        )),
        lengthen: Some(longer.clone()),
        renewal: Renewal::Call(longer),
        // Where it is not said, it does not end.
        unsaid: None,
        field: Some("access_token".into()),
        ..Plan::standard(dialog, url, client, &[Way::Public])
    }
}
