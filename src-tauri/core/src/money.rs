//! Money as whole micro-dollars: computed once per model call, summed in SQL, never a float.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// Millionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema, ts_rs::TS,
)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct MicroUsd(pub i64);

impl MicroUsd {
    /// Reads a decimal amount of dollars ("0.0000025") without going through a float. Digits past the sixth are rounded half up.
    /// `None` for anything that is not a plain, non-negative decimal.
    pub fn from_decimal_dollars(text: &str) -> Option<Self> {
        Some(Self(i64::try_from(scaled(text, 6)?).ok()?))
    }
}

/// `text` × 10^`places`, rounded half up; understands a plain decimal and an exponent ("1e-7").
pub fn scaled(text: &str, places: i32) -> Option<i128> {
    let (mantissa, exponent) = match text.trim().split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text.trim(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = places.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if shift >= 0 {
        digits.checked_mul(10i128.checked_pow(u32::try_from(shift).ok()?)?)
    } else {
        let divisor = 10i128.checked_pow(u32::try_from(-shift).ok()?)?;
        Some((digits + divisor / 2) / divisor)
    }
}

impl std::ops::Add for MicroUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl ToSql for MicroUsd {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for MicroUsd {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_dollars_become_whole_micro_dollars() {
        assert_eq!(MicroUsd::from_decimal_dollars("0.0000025"), Some(MicroUsd(3)), "half rounds up");
        assert_eq!(MicroUsd::from_decimal_dollars("1.5"), Some(MicroUsd(1_500_000)));
        assert_eq!(MicroUsd::from_decimal_dollars("2e-6"), Some(MicroUsd(2)));
        assert_eq!(MicroUsd::from_decimal_dollars("-1"), None, "a negative price means unknown");
        assert_eq!(MicroUsd::from_decimal_dollars(""), None);
    }
}
