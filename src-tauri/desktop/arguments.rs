//! What may stand behind `shopbell` on the command line: little, since a link of a web page can start the program too.

use std::net::SocketAddr;

use shopbell_core::profile;
use tauri::Url;

/// How this start was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// `--profile NAME`: a data directory of its own.
    pub profile: String,
    /// `--public ADDRESS`: where the website chat and the hooks are answered.
    pub public: Option<SocketAddr>,
    /// A `shopbell://` address that a browser handed over.
    pub link: Option<Url>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { profile: profile::USUAL.to_owned(), public: None, link: None }
    }
}

/// What to do with a command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// Start.
    Start(Arguments),
    /// Print this and end with 0.
    Print(String),
    /// Print this and end with 2.
    Wrong(String),
}

/// What `--help` prints.
const HELP: &str = "\
Shopbell: one desk for every conversation a small shop has with its customers.

  shopbell                    open the app
  shopbell --profile NAME     keep a separate data directory, beside the main one
  shopbell --public ADDRESS   answer hooks and the website chat there (default: 127.0.0.1:7411)
  shopbell --help | --version

Without a display, use shopbell-server and a browser.";

/// Reads the arguments that follow the program's name.
pub fn read(arguments: impl IntoIterator<Item = String>) -> Asked {
    match try_read(arguments) {
        Ok(asked) => asked,
        Err(sentence) => Asked::Wrong(sentence),
    }
}

fn try_read(arguments: impl IntoIterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Arguments::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        match name {
            "--help" | "-h" => return Ok(Asked::Print(HELP.to_owned())),
            "--version" | "-V" => return Ok(Asked::Print(format!("Shopbell {}", env!("CARGO_PKG_VERSION")))),
            "--profile" => {
                let value = inline.or_else(|| arguments.next()).ok_or("--profile needs a name behind it.")?;
                profile::check(&value).map_err(|error| error.to_string())?;
                asked.profile = value;
            }
            "--public" => {
                let value = inline.or_else(|| arguments.next()).ok_or("--public needs an address behind it.")?;
                let address = value.parse().map_err(|_| format!("--public takes an address such as 127.0.0.1:7411, not \"{value}\"."))?;
                asked.public = Some(address);
            }
            _ => match super::deep_link::parse(&argument) {
                Some(link) => asked.link = Some(link),
                None => return Err(format!("Shopbell does not know \"{argument}\". Try shopbell --help.")),
            },
        }
    }
    Ok(Asked::Start(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn nothing_means_the_main_profile() {
        assert_eq!(asked(""), Asked::Start(Arguments::default()));
        assert_eq!(asked("--profile default"), Asked::Start(Arguments::default()));
    }

    #[test]
    fn a_profile_is_named_in_either_form() {
        let lab = Asked::Start(Arguments { profile: "lab-2".to_owned(), ..Arguments::default() });
        assert_eq!(asked("--profile lab-2"), lab);
        assert_eq!(asked("--profile=lab-2"), lab);
    }

    #[test]
    fn a_profile_cannot_leave_its_folder() {
        for name in ["../x", "A", "a/b", "", "-a", "a.b", "é"] {
            assert!(matches!(read(["--profile".to_owned(), name.to_owned()]), Asked::Wrong(_)), "{name}");
        }
    }

    #[test]
    fn a_link_is_taken_and_anything_else_refused() {
        let link = Url::parse("shopbell://oauth/callback?state=a&code=b").expect("a url");
        assert_eq!(asked("shopbell://oauth/callback?state=a&code=b"), Asked::Start(Arguments { link: Some(link), ..Arguments::default() }));
        for line in ["https://example.com", "--inspect", "file:///etc/passwd", "--profile", "--public x", "--public"] {
            assert!(matches!(asked(line), Asked::Wrong(_)), "{line}");
        }
    }
}
