//! What was planted, and where it is searched: in every writing that a program may give it.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;
use shopbell_tests::dice::Dice;

/// Every secret that was planted, with the writings it is searched in, and every place where one was found.
pub struct Hunt {
    planted: Mutex<Planted>,
    dice: Mutex<Dice>,
    found: Mutex<Vec<String>>,
    looked: Mutex<usize>,
}

/// Names, and every writing by its first eight bytes, so that one pass over a text looks for all of them.
#[derive(Default)]
struct Planted {
    names: Vec<String>,
    by_head: HashMap<[u8; HEAD], Vec<Writing>>,
    /// The first two bytes of any writing: most of a text is passed over by these alone.
    starts: HashSet<[u8; 2]>,
}

struct Writing {
    name: usize,
    how: &'static str,
    bytes: Vec<u8>,
}

const HEAD: usize = 8;

impl Hunt {
    /// Nothing planted yet.
    pub fn new(seed: u64) -> Self {
        Self { planted: Mutex::default(), dice: Mutex::new(Dice::new(seed)), found: Mutex::default(), looked: Mutex::default() }
    }

    /// A new secret that is nowhere else; `name` is how a finding calls it.
    pub fn plant(&self, name: &str) -> String {
        let mut dice = self.dice.lock().unwrap();
        let value = format!("canary-{:08x}{:08x}{:08x}", dice.below(1 << 32), dice.below(1 << 32), dice.below(1 << 32));
        self.know(name, &value);
        value
    }

    /// A secret that is there already.
    pub fn know(&self, name: &str, value: &str) {
        assert!(value.len() >= 12, "{name}: too short to be told from other text");
        let mut planted = self.planted.lock().unwrap();
        let index = planted.names.len();
        planted.names.push(name.to_owned());
        for (how, bytes) in writings(value) {
            planted.starts.insert([bytes[0], bytes[1]]);
            let head = bytes[..HEAD].try_into().unwrap();
            planted.by_head.entry(head).or_default().push(Writing { name: index, how, bytes });
        }
    }

    /// How many are planted.
    pub fn planted(&self) -> usize {
        self.planted.lock().unwrap().names.len()
    }

    /// Looks through `bytes`. What is found is noted by the secret's name and the place, never by its value.
    pub fn look(&self, place: &str, bytes: &[u8]) {
        *self.looked.lock().unwrap() += bytes.len();
        let planted = self.planted.lock().unwrap();
        let mut starts = vec![false; 1 << 16];
        for [first, second] in &planted.starts {
            starts[usize::from(*first) << 8 | usize::from(*second)] = true;
        }
        let mut at = 0;
        while at + HEAD <= bytes.len() {
            if starts[usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])] {
                let head: [u8; HEAD] = bytes[at..at + HEAD].try_into().unwrap();
                for writing in planted.by_head.get(&head).into_iter().flatten().filter(|one| bytes[at..].starts_with(&one.bytes)) {
                    let line = format!("{} ({}) in {place}", planted.names[writing.name], writing.how);
                    let mut found = self.found.lock().unwrap();
                    if !found.contains(&line) {
                        found.push(line);
                    }
                }
            }
            at += 1;
        }
    }

    /// Whether `value` is, from end to end, a planted secret whose name ends in `field`.
    pub fn is_a(&self, field: &str, value: &str) -> bool {
        let planted = self.planted.lock().unwrap();
        let head = value.as_bytes().first_chunk::<HEAD>();
        head.and_then(|head| planted.by_head.get(head))
            .is_some_and(|writings| writings.iter().any(|one| one.bytes == value.as_bytes() && planted.names[one.name].ends_with(field)))
    }

    /// Looks through every file of a folder, its names included.
    pub fn look_through(&self, folder: &Path) {
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                self.look("the name of a file", path.to_string_lossy().as_bytes());
                if path.is_dir() {
                    waiting.push(path);
                    continue;
                }
                // A file may go away while it is looked for: a log that is written back.
                if let Ok(bytes) = std::fs::read(&path) {
                    self.look(&format!("the file {}", path.file_name().unwrap().to_string_lossy()), &bytes);
                }
            }
        }
    }

    /// Looks through every column of every table, where a value may be spread over pages of the file.
    pub fn look_through_database(&self, path: &Path) {
        let db = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut statement = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let tables: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for table in tables {
            let mut statement = db.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
            let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for (index, column) in columns.iter().enumerate() {
                    if let Ok(bytes) = row.get_ref(index).unwrap().as_bytes() {
                        self.look(&format!("the column {table}.{column}"), bytes);
                    }
                }
            }
        }
    }

    /// Nothing was found, or a list of what and where.
    pub fn nothing_found(&self) {
        let found = self.found.lock().unwrap();
        assert!(found.is_empty(), "secrets are where they must not be:\n  {}", found.join("\n  "));
        println!("{} secrets, {} bytes looked through", self.planted(), self.looked.lock().unwrap());
    }

    /// What was found, for the test of the hunt itself.
    pub fn found(&self) -> Vec<String> {
        self.found.lock().unwrap().clone()
    }
}

/// `value` as it stands and as programs write it: base64 at each of its three phases, hexadecimal, in an address, escaped in JSON.
fn writings(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut writings = vec![("as it is", value.as_bytes().to_vec())];
    for phase in 0..3 {
        // In the middle of other text the first and the last characters mix with their neighbours: they are left out.
        let shifted = [&vec![b'x'; phase], value.as_bytes()].concat();
        let whole = shifted.len() / 3 * 3;
        for (name, engine) in [("base64", &STANDARD), ("base64 for addresses", &URL_SAFE)] {
            let text = engine.encode(&shifted[..whole]);
            writings.push((name, text.as_bytes()[if phase == 0 { 0 } else { 4 }..].to_vec()));
        }
    }
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    writings.push(("hexadecimal", hex.to_uppercase().into_bytes()));
    writings.push(("hexadecimal", hex.into_bytes()));
    let escaped = |space: &str, upper: bool| -> String {
        let of = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            b' ' => space.to_owned(),
            _ if upper => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        };
        value.bytes().map(of).collect()
    };
    for text in [escaped("%20", true), escaped("%20", false), escaped("+", true)] {
        writings.push(("in an address", text.into_bytes()));
    }
    let json = Value::from(value).to_string();
    writings.push(("in JSON", json.as_bytes()[1..json.len() - 1].to_vec()));
    writings.push(("backwards", value.chars().rev().collect::<String>().into_bytes()));
    writings
}
