//! Who reads and answers: what agents know, what they may do, and how an answer is made.
pub mod knowledge;
pub mod tools;
pub mod prompt;
pub mod ledger;
pub mod turn;
pub mod ending;
mod typing;
pub mod answer;
pub mod rehearsal;
pub mod standby;
pub mod rows;
