//! Finds the address in what an SSH service says in its greeting.
//!
//! The greeting is text for people, with advertisements and links to the service itself. Only a whole name right below one of the
//! service's own endings counts, so that nothing a greeting mentions, and nobody who can put words into one, makes us believe an address.

/// The longest greeting that is read.
pub const LONGEST: usize = 64 * 1024;

/// The https address below one of `endings` ("lhr.life"), if the greeting names one. `own` are names of the service itself.
pub fn address(greeting: &str, endings: &[&str], own: &[&str]) -> Option<String> {
    let plain = without_escapes(greeting);
    plain.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-' | '_' | '@' | '?' | '=' | '#'))).find_map(
        |word| {
            let rest = word.strip_prefix("https://")?;
            // Nothing but a name: no user, no path, no port. A full stop or a slash that ends the sentence may follow.
            let name = rest.trim_end_matches(['/', '.']);
            (is_below(name, endings) && !own.contains(&name)).then(|| format!("https://{name}"))
        },
    )
}

fn is_below(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| {
        let Some(labels) = name.strip_suffix(ending).and_then(|rest| rest.strip_suffix('.')) else { return false };
        let sound = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        name.len() <= 253 && labels.split('.').count() <= 3 && labels.split('.').all(sound)
    })
}

/// The text without the colours of terminals.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        if characters.next() == Some('[') {
            for c in characters.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const LHR: &[&str] = &["lhr.life", "localhost.run"];
    const OWN: &[&str] = &["admin.localhost.run"];

    #[test]
    fn the_address_is_found_among_everything_else() {
        let greeting = "\r\n===\r\nWelcome to localhost.run!\r\n\r\nFollow your favourite reverse tunnel at [https://twitter.com/localhost_run].\r\n\
            To set up and manage custom domains go to https://admin.localhost.run/\r\n\
            To explore using localhost.run visit the documentation site:\r\nhttps://localhost.run/docs/\r\n\
            ** your connection id is 4d1e, please mention it if you send me a message about an issue. **\r\n\r\n\
            \u{1b}[32m8f2c41d7a90b3e.lhr.life\u{1b}[0m tunneled with tls termination, \u{1b}[1mhttps://8f2c41d7a90b3e.lhr.life\u{1b}[0m\r\n";
        assert_eq!(address(greeting, LHR, OWN).as_deref(), Some("https://8f2c41d7a90b3e.lhr.life"));
        let pinggy = "You are not authenticated.\nYour tunnel will expire in 60 minutes.\n\
            http://rnabc-203-0-113-7.a.free.pinggy.link\nhttps://rnabc-203-0-113-7.a.free.pinggy.link\n";
        assert_eq!(
            address(pinggy, &["free.pinggy.link", "pinggy.link"], &[]).as_deref(),
            Some("https://rnabc-203-0-113-7.a.free.pinggy.link")
        );
    }

    #[test]
    fn no_other_name_is_believed() {
        for greeting in [
            "https://lhr.life",
            "https://evil.example/x.lhr.life",
            "https://x.lhr.life.evil.example",
            "https://x.lhr.life@evil.example",
            "https://evil.example#x.lhr.life",
            "https://evil.example?x.lhr.life",
            "https://evillhr.life",
            "https://evillhr.life",
            "http://x.lhr.life",
            "https://x.lhr.life:8443",
            "https://-x.lhr.life",
            "https://X.LHR.LIFE",
            "https://..lhr.life",
            "https://admin.localhost.run/",
            "",
        ] {
            assert_eq!(address(greeting, LHR, OWN), None, "{greeting}");
        }
    }
}
