//! The table at the end.

/// Prints each line as it is known, and which goals were missed at the end.
#[derive(Default)]
pub struct Report {
    missed: Vec<String>,
}

impl Report {
    /// A plain figure, with a ratio where there is one.
    pub fn line(&self, name: &str, value: f64, unit: &str, ratio: Option<(f64, &str)>) {
        let ratio = ratio.map_or(String::new(), |(ratio, of)| format!("{ratio:>8.2} {of}"));
        Self::say(&format!("{name:<46}{value:>12.1} {unit:<5}{ratio}"));
    }

    /// A figure with a goal for its ratio.
    #[expect(clippy::too_many_arguments, reason = "one line of a table")]
    pub fn goal(&mut self, name: &str, value: f64, unit: &str, ratio: f64, of: &str, goal: f64, at_least: bool) {
        let met = if at_least { ratio >= goal } else { ratio <= goal };
        let sign = if at_least { "≥" } else { "≤" };
        let verdict = if met { "met" } else { "MISSED" };
        Self::say(&format!("{name:<46}{value:>12.1} {unit:<5}{ratio:>8.2} {of}  (goal {sign} {goal}: {verdict})"));
        if !met {
            self.missed.push(name.to_owned());
        }
    }

    /// Times in ms, of which the middle one has a limit.
    pub fn limit(&mut self, name: &str, times: &[f64], most: f64) {
        let (middle, worst) = (crate::load::percentile(times, 50), crate::load::percentile(times, 99));
        let met = middle <= most;
        let verdict = if met { "met" } else { "MISSED" };
        Self::say(&format!("{name:<46}{middle:>12.1} ms   {worst:>8.2} ms at p99  (goal ≤ {most}: {verdict})"));
        if !met {
            self.missed.push(name.to_owned());
        }
    }

    /// Something that must be so exactly.
    pub fn must(&mut self, name: &str, found: usize, wanted: usize) {
        let verdict = if found == wanted { "met" } else { "MISSED" };
        Self::say(&format!("{name:<46}{found:>12} of {wanted}  ({verdict})"));
        if found != wanted {
            self.missed.push(name.to_owned());
        }
    }

    fn say(line: &str) {
        println!("{line}");
    }

    /// Prints the end.
    pub fn print(&self) {
        match self.missed.as_slice() {
            [] => println!("\nEvery goal is met."),
            missed => println!("\nMissed: {}.", missed.join("; ")),
        }
    }
}

/// Resident memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
