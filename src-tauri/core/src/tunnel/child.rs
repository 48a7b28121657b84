//! A program that runs for us and never outlives us.
//!
//! It gets a process group of its own, which is killed as a whole. Where the system has `setpriv`, the kernel itself ends it when we die
//! without a word; everywhere else on Unix a note with its number and its time of birth is left in the data directory, and the next start
//! ends what it names, if it is still that very process.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use tokio::process::{Child, Command};

/// A running program, ended with its whole group when dropped.
pub struct Group {
    child: Child,
    #[cfg(unix)]
    leader: Option<i32>,
    note: PathBuf,
}

/// Starts `program`. `note` is where is written down what runs.
///
/// # Errors
/// When it cannot be started.
pub fn start(program: &Path, arguments: &[String], note: &Path) -> anyhow::Result<Group> {
    let mut command = with_kernels_promise(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    // What it does is for us to say, not for variables of the environment.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TUNNEL_") {
            command.env_remove(name);
        }
    }
    #[cfg(unix)]
    command.process_group(0);
    let child = command.spawn().with_context(|| format!("start {}", program.display()))?;
    let group = Group {
        #[cfg(unix)]
        leader: child.id().and_then(|id| i32::try_from(id).ok()),
        child,
        note: note.to_owned(),
    };
    #[cfg(target_os = "linux")]
    if let Some((id, born)) = group.leader.and_then(|id| Some((id, born(id)?))) {
        std::fs::write(note, format!("{id} {born}")).context("note the program")?;
    }
    Ok(group)
}

/// `setpriv --pdeathsig KILL program`, where there is one: it becomes the program, and the kernel kills it when we are gone.
#[cfg(target_os = "linux")]
fn with_kernels_promise(program: &Path) -> Command {
    match on_path("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

#[cfg(not(target_os = "linux"))]
fn with_kernels_promise(program: &Path) -> Command {
    Command::new(program)
}

impl Group {
    /// The program.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader {
            kill_group(leader);
        }
        if let Err(error) = std::fs::remove_file(&self.note)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::debug!(%error, "The note of a program that ended could not be removed.");
        }
    }
}

#[cfg(unix)]
fn kill_group(leader: i32) {
    let Some(group) = rustix::process::Pid::from_raw(leader) else { return };
    if let Err(error) = rustix::process::kill_process_group(group, rustix::process::Signal::KILL) {
        // Gone already, most often: all the better.
        tracing::debug!(%error, "A tunnel program could not be ended.");
    }
}

/// Ends what an earlier run of ours left behind when it was killed.
pub fn reap(note: &Path) {
    #[cfg(target_os = "linux")]
    {
        let Ok(text) = std::fs::read_to_string(note) else { return };
        let left = text.split_once(' ').and_then(|(id, born)| Some((id.parse::<i32>().ok()?, born.trim().parse::<u64>().ok()?)));
        if let Some((id, noted)) = left
            && id > 1
            && born(id) == Some(noted)
        {
            tracing::warn!(process.id = id, "A tunnel program of an earlier run was still there; it is ended.");
            kill_group(id);
        }
    }
    drop(std::fs::remove_file(note));
}

/// When a process began, in the kernel's own count; together with its number it names one process for ever.
#[cfg(target_os = "linux")]
fn born(id: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in the second field may hold anything, also brackets.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// A program where the system looks for programs.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let name = if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() };
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| is_program(path))
}

/// Whether that file can be run.
pub fn is_program(path: &Path) -> bool {
    let Ok(about) = std::fs::metadata(path) else { return false };
    #[cfg(unix)]
    let runs = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let runs = true;
    about.is_file() && runs
}
