//! What may be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use shopbell_core::error::{Code, Error, Result, Sentence};
use shopbell_core::gateway::doors;
use shopbell_core::secret::Secret;
use shopbell_core::{profile, say};

/// What `--help` prints.
pub const HELP: &str = "\
shopbell-server: Shopbell without a window, used in a browser or by scripts.

  --data-dir DIR         where everything is kept (default: the profile's own folder)
  --profile NAME         a second Shopbell beside the first (default: default)
  --admin ADDRESS        the admin side and the screens (default: 127.0.0.1:7410; this computer only)
  --public ADDRESS       hooks and the website chat (default: 127.0.0.1:7411)
  --public-url URL       the address under which a proxy or tunnel of yours leads to --public
  --passphrase-file F    opens the vault, and makes it on new data, with the passphrase in F
  --export-backup FILE   seals everything into FILE, which must not be there yet, and ends
  --restore-backup FILE  makes FILE the data of an empty directory, and ends; the next start stands still until
                         somebody says on the screen that the other computer is off
  --replace              with --restore-backup: also where there are data already; they are kept aside
  --backup-passphrase-file F   what seals or opens FILE
  --lab                  every service is a simulator on this computer; only with data made for it (profile: lab)
  --help, --version

Environment: SHOPBELL_TOKEN (token of the admin side; made and kept when absent), SHOPBELL_PASSPHRASE,
SHOPBELL_BACKUP_PASSPHRASE (instead of --backup-passphrase-file), SHOPBELL_LOG (info).
Once both addresses answer, one line of JSON is printed. Exit codes: 0 done, 2 wrong arguments, 3 wrong passphrase,
4 the data cannot be opened, 5 a port is taken.
";

/// How to run.
#[derive(Debug)]
pub struct Options {
    /// The data directory, if said.
    pub data_dir: Option<PathBuf>,
    /// The profile.
    pub profile: String,
    /// The admin side.
    pub admin: SocketAddr,
    /// The public side.
    pub public: SocketAddr,
    /// Where the public side is reached from outside.
    pub public_url: Option<String>,
    /// Opens the vault.
    pub passphrase: Option<Secret>,
    /// The admin token.
    pub token: Option<Secret>,
    /// Whether simulators stand in for the services.
    pub lab: bool,
    /// What is to be done instead of running.
    pub errand: Option<Errand>,
    /// Seals or opens a backup.
    pub backup_passphrase: Option<Secret>,
}

/// Something to be done once, instead of running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Sealing everything into a file.
    Export(PathBuf),
    /// Making a sealed file the data.
    Restore {
        /// The file.
        file: PathBuf,
        /// Whether also where there are data.
        replace: bool,
    },
}

/// What the arguments ask for.
#[derive(Debug)]
pub enum Asked {
    /// To run.
    Run(Box<Options>),
    /// To print something and end.
    Print(String),
}

fn wrong(sentence: Sentence) -> Error {
    Error::new(Code::Invalid, sentence)
}

/// Reads arguments and environment.
///
/// # Errors
/// [`Code::Invalid`] with a sentence that names the argument.
pub fn read(arguments: impl IntoIterator<Item = String>, environment: impl Fn(&str) -> Option<String>) -> Result<Asked> {
    let mut profile = None;
    let mut options = Options {
        data_dir: None,
        profile: profile::USUAL.to_owned(),
        admin: SocketAddr::from(([127, 0, 0, 1], 7410)),
        public: SocketAddr::from(([127, 0, 0, 1], 7411)),
        public_url: None,
        passphrase: given(environment("SHOPBELL_PASSPHRASE")),
        token: given(environment("SHOPBELL_TOKEN")),
        lab: false,
        errand: None,
        backup_passphrase: given(environment("SHOPBELL_BACKUP_PASSPHRASE")),
    };
    let (mut export, mut restore, mut replace) = (None, None, false);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, mut inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (argument.clone(), None),
        };
        let mut value = || {
            inline
                .take()
                .or_else(|| arguments.next())
                .filter(|value| !value.is_empty())
                .ok_or_else(|| wrong(say!("{name} needs a value. See --help.", name = name)))
        };
        match name.as_str() {
            "--help" | "-h" => return Ok(Asked::Print(HELP.to_owned())),
            "--version" | "-V" => return Ok(Asked::Print(concat!("shopbell-server ", env!("CARGO_PKG_VERSION"), "\n").to_owned())),
            "--data-dir" => options.data_dir = Some(PathBuf::from(value()?)),
            "--profile" => profile = Some(value()?),
            "--admin" => options.admin = address(&name, &value()?)?,
            "--public" => options.public = address(&name, &value()?)?,
            "--public-url" => options.public_url = Some(doors::public_url(&value()?)?),
            "--passphrase-file" => options.passphrase = Some(passphrase(&value()?)?),
            "--export-backup" => export = Some(PathBuf::from(value()?)),
            "--restore-backup" => restore = Some(PathBuf::from(value()?)),
            "--backup-passphrase-file" => options.backup_passphrase = Some(passphrase(&value()?)?),
            "--replace" => replace = true,
            "--lab" => options.lab = true,
            _ => return Err(wrong(say!("There is no argument {name}. See --help.", name = argument))),
        }
        if let Some(extra) = inline {
            return Err(wrong(say!("{name} takes no value, but {value} was given.", name = name, value = extra)));
        }
    }
    if let Some(named) = profile {
        options.profile = named;
    } else if options.lab {
        profile::LAB.clone_into(&mut options.profile);
    }
    // The Lab's own data is only ever opened as the Lab.
    options.lab |= options.profile == profile::LAB;
    profile::check(&options.profile)?;
    if options.lab && options.public_url.is_some() {
        return Err(wrong(say!("Nobody reaches the Lab from outside: leave --public-url or --lab away.")));
    }
    if options.admin == options.public && options.admin.port() != 0 {
        return Err(wrong(say!("--admin and --public need different addresses.")));
    }
    options.errand = errand(export, restore, replace, options.backup_passphrase.is_some())?;
    Ok(Asked::Run(Box::new(options)))
}

fn errand(export: Option<PathBuf>, restore: Option<PathBuf>, replace: bool, has_passphrase: bool) -> Result<Option<Errand>> {
    let errand = match (export, restore) {
        (Some(_), Some(_)) => return Err(wrong(say!("Choose one of --export-backup and --restore-backup."))),
        (Some(file), None) => Some(Errand::Export(file)),
        (None, Some(file)) => Some(Errand::Restore { file, replace }),
        (None, None) => None,
    };
    if replace && !matches!(errand, Some(Errand::Restore { .. })) {
        return Err(wrong(say!("--replace belongs to --restore-backup.")));
    }
    // Never as an argument: every user of this computer can read those.
    if errand.is_some() && !has_passphrase {
        return Err(wrong(say!("A backup needs a passphrase: --backup-passphrase-file F, or SHOPBELL_BACKUP_PASSPHRASE.")));
    }
    Ok(errand)
}

fn given(text: Option<String>) -> Option<Secret> {
    text.filter(|text| !text.is_empty()).map(Secret::new)
}

fn address(name: &str, text: &str) -> Result<SocketAddr> {
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| wrong(say!("{name} takes an address such as 127.0.0.1:7410, not {value}.", name = name, value = text)))
}

fn passphrase(path: &str) -> Result<Secret> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| wrong(say!("The passphrase file {path} cannot be read.", path = path)).because(error))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(wrong(say!("The passphrase file {path} is empty.", path = path)));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked> {
        read(line.split_whitespace().map(str::to_owned), |_| None)
    }

    #[test]
    fn the_usual_start_needs_no_argument() {
        let Ok(Asked::Run(options)) = asked("") else { panic!("it runs") };
        assert_eq!((options.admin.to_string(), options.public.to_string()), ("127.0.0.1:7410".into(), "127.0.0.1:7411".into()));
        let Ok(Asked::Run(options)) = asked("--admin=localhost:1 --public 0.0.0.0:2 --profile test --public-url https://shop.example.com/")
        else {
            panic!("it runs")
        };
        assert_eq!((options.admin.port(), options.public.port(), options.profile.as_str(), options.lab), (1, 2, "test", false));
        assert_eq!(options.public_url.as_deref(), Some("https://shop.example.com"));
    }

    #[test]
    fn the_lab_has_a_profile_of_its_own_and_no_way_in_from_outside() {
        let asked_for = [
            ("--lab", "lab", true),
            ("--lab --profile try", "try", true),
            ("--profile lab", "lab", true),
            ("--profile lab-2", "lab-2", false),
        ];
        for (line, profile, lab) in asked_for {
            let Ok(Asked::Run(options)) = asked(line) else { panic!("it runs") };
            assert_eq!((options.profile.as_str(), options.lab), (profile, lab), "{line}");
        }
        assert_eq!(asked("--lab --public-url https://shop.example.com").expect_err("refused").code, Code::Invalid);
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for line in [
            "--adminn 1",
            "x",
            "--admin",
            "--admin=",
            "--admin 7410",
            "--admin x:1",
            "--lab=1",
            "--profile ../x",
            "--public-url shop",
            "--passphrase-file /does/not/exist",
            "--admin 127.0.0.1:7 --public 127.0.0.1:7",
            "--data-dir",
            "--export-backup x",
            "--restore-backup",
            "--replace",
            "--export-backup x --restore-backup y",
        ] {
            let error = asked(line).expect_err(line);
            assert_eq!(error.code, Code::Invalid, "{line}");
        }
    }

    #[test]
    fn a_backup_is_an_errand_with_a_passphrase_that_is_never_an_argument() {
        let with = |line: &str| {
            read(line.split_whitespace().map(str::to_owned), |name| (name == "SHOPBELL_BACKUP_PASSPHRASE").then(|| "p".into()))
        };
        let Ok(Asked::Run(options)) = with("--restore-backup x.shopbell --replace") else { panic!("it runs") };
        assert_eq!(options.errand, Some(Errand::Restore { file: "x.shopbell".into(), replace: true }));
        assert_eq!(options.backup_passphrase.unwrap().reveal(), "p");
        let Ok(Asked::Run(options)) = with("--export-backup=y.shopbell") else { panic!("it runs") };
        assert_eq!(options.errand, Some(Errand::Export("y.shopbell".into())));
        for line in ["--export-backup x --replace", "--export-backup x --restore-backup y", "--backup-passphrase p --export-backup x"] {
            assert_eq!(with(line).expect_err(line).code, Code::Invalid, "{line}");
        }
    }

    #[test]
    fn secrets_come_from_the_environment_and_an_empty_one_is_none() {
        let Ok(Asked::Run(options)) = read([], |name| (name == "SHOPBELL_TOKEN").then(|| "t".into())) else { panic!("it runs") };
        assert_eq!(options.token.unwrap().reveal(), "t");
        let Ok(Asked::Run(options)) = read([], |_| Some(String::new())) else { panic!("it runs") };
        assert!(options.token.is_none() && options.passphrase.is_none());
    }
}
