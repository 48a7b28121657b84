//! The TypeScript of every command, from the same types that read the requests.
//!
//! A test writes `ui/src/bindings/generated.ts` and fails when what is committed differs.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use schemars::JsonSchema;
use ts_rs::{Config, TS, TypeVisitor};

use super::Describe;
use crate::changes::Announced;
use crate::error::Code;

const HEAD: &str =
    "// What the hub can be asked, and the shapes of questions and answers. Written by a test of shopbell-core; do not edit.\n";

struct Types {
    config: Config,
    seen: HashSet<TypeId>,
    declared: BTreeMap<String, String>,
    commands: String,
}

impl TypeVisitor for Types {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default().replace("/**\n * ", "/** ").replace("\n */\n", " */\n");
            let declaration = format!("{docs}export {}\n", tidy(&T::decl(&self.config)));
            let name = T::ident(&self.config);
            // A generic type is declared once, whatever it holds.
            if let Some(other) = self.declared.insert(name.clone(), declaration.clone())
                && other != declaration
            {
                panic!("two types are called {name} in TypeScript");
            }
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

impl Describe for Types {
    fn command<Q: TS + JsonSchema + 'static, A: TS + JsonSchema + 'static>(&mut self, name: &'static str, doc: &'static str) {
        self.visit::<Q>();
        self.visit::<A>();
        let (request, answer) = (Q::name(&self.config), A::name(&self.config));
        writeln!(self.commands, "  /** {doc} */\n  {name}: [{request}, {answer}];").expect("writing to text cannot fail");
    }
}

/// One field a line, its words above it.
fn tidy(declaration: &str) -> String {
    let text = declaration.replace(" \n/**\n * ", "\n  /** ").replace("\n */\n", " */\n  ");
    text.replace(", } |", " }\n  |").replace(", }", ",\n}").replace("{ \n", "{\n")
}

/// The whole file.
pub fn file() -> String {
    let config = Config::new().with_large_int("number");
    let mut types = Types { config, seen: HashSet::new(), declared: BTreeMap::new(), commands: String::new() };
    super::describe(&mut types);
    types.visit::<Announced>();
    types.visit::<Code>();
    let declarations: Vec<String> = types.declared.into_values().collect();
    format!(
        "{HEAD}\n{}\n/** Every command: what it takes, what it gives. */\nexport type Commands = {{\n{}}};\n",
        declarations.join("\n"),
        types.commands
    )
}
