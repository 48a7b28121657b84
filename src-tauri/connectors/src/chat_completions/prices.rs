//! What OpenAI's models cost, for services that do not say the cost of an answer themselves.
//!
//! Dollars per million tokens, as OpenAI published them up to GPT-5.1; written down from general knowledge and to be compared with <https://openai.com/api/pricing>. A model that is not here costs an unknown amount,
//! which the ledger shows as 0 rather than as a guess.

use shopbell_core::money::{MicroUsd, scaled};

/// (model, input, cached input, output)
const PRICES: &[(&str, &str, &str, &str)] = &[
    ("gpt-5.1", "1.25", "0.125", "10.00"),
    ("gpt-5-pro", "15.00", "15.00", "120.00"),
    ("gpt-5", "1.25", "0.125", "10.00"),
    ("gpt-5-mini", "0.25", "0.025", "2.00"),
    ("gpt-5-nano", "0.05", "0.005", "0.40"),
    ("gpt-4.1", "2.00", "0.50", "8.00"),
    ("gpt-4.1-mini", "0.40", "0.10", "1.60"),
    ("gpt-4.1-nano", "0.10", "0.025", "0.40"),
    ("gpt-4o", "2.50", "1.25", "10.00"),
    ("gpt-4o-mini", "0.15", "0.075", "0.60"),
    ("gpt-4-turbo", "10.00", "10.00", "30.00"),
    ("gpt-3.5-turbo", "0.50", "0.50", "1.50"),
    ("o1", "15.00", "7.50", "60.00"),
    ("o1-mini", "1.10", "0.55", "4.40"),
    ("o1-pro", "150.00", "150.00", "600.00"),
    ("o3", "2.00", "0.50", "8.00"),
    ("o3-mini", "1.10", "0.55", "4.40"),
    ("o3-pro", "20.00", "20.00", "80.00"),
    ("o4-mini", "1.10", "0.275", "4.40"),
];

/// The cost of a call; `None` where the price is not known.
pub fn cost(model: &str, input: u64, cached: u64, output: u64) -> Option<MicroUsd> {
    let (_, input_price, cached_price, output_price) = PRICES.iter().find(|(name, ..)| is_version_of(model, name))?;
    let cached = cached.min(input);
    // Dollars per million tokens are micro-dollars per token; six more places keep every digit.
    let part = |tokens: u64, price: &str| i128::from(tokens).checked_mul(scaled(price, 6)?);
    let sum = part(input - cached, input_price)? + part(cached, cached_price)? + part(output, output_price)?;
    Some(MicroUsd(i64::try_from((sum + 500_000) / 1_000_000).ok()?))
}

/// "gpt-4o-2024-08-06" and "gpt-4o-latest" are versions of "gpt-4o"; "gpt-4o-mini" and "gpt-4o-audio-preview" are not.
fn is_version_of(model: &str, name: &str) -> bool {
    model.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest == "-latest" || rest == "-chat-latest" || rest.starts_with("-20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_right_to_the_last_micro_dollar() {
        assert_eq!(cost("gpt-4o", 1_000_000, 0, 0), Some(MicroUsd(2_500_000)));
        assert_eq!(cost("gpt-4o-2024-08-06", 1234, 1000, 567), Some(MicroUsd(585 + 1250 + 5670)));
        assert_eq!(cost("gpt-4o-mini", 3, 0, 1), Some(MicroUsd(1)), "0.45 + 0.60 is 1.05, which is 1");
        assert_eq!(cost("gpt-5-nano", 10, 0, 0), Some(MicroUsd(1)), "half is rounded up");
        assert_eq!(cost("gpt-4o", 10, 99, 0), Some(MicroUsd(13)), "more cached than read is as much as read");
        for unknown in ["gpt-4o-audio-preview", "gpt-5.6-sol", "gpt-4o-minimal", "claude-sonnet", ""] {
            assert_eq!(cost(unknown, 1000, 0, 1000), None, "{unknown}");
        }
    }
}
