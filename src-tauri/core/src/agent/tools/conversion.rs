//! Telling the service's advertising what became of a customer who came through it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NativeTool, Outcome, Run, ToolContext, ToolError, may_act, parse, schema};
use crate::conversions::{self, ConversionEvent, Wanted};
use crate::error::Code;
use crate::store::Tx;

pub(super) const REPORT: NativeTool = NativeTool {
    name: "report_conversion",
    description: "Tell the shop's advertising that this customer, who came through an advertisement, is likely to buy (qualified_lead) or has \
                  bought (purchase, with currency and amount as agreed in this conversation). The customer sees nothing of it. Use it once for each.",
    summary: "Tells your advertising who bought, if you switched that on",
    parameters: schema::<Report>,
    event: None,
    run: Run::Write(report),
};

/// What became of the customer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Report {
    /// What happened.
    event: ConversionEvent,
    /// The currency in three letters, for a purchase: BRL.
    currency: Option<String>,
    /// What was paid, for a purchase.
    amount: Option<f64>,
}

fn report(tx: &Tx<'_>, context: &ToolContext, arguments: Value) -> Outcome {
    let Report { event, currency, amount } = parse(arguments)?;
    let conversation = may_act(tx, context)?;
    if !context.reports {
        return Err(ToolError::RespondToModel(
            "The shop has not switched reports on for this channel. Nothing was reported; go on.".into(),
        ));
    }
    let wanted = Wanted { event, value: currency.zip(amount) };
    match conversions::want(tx, &conversation, &wanted) {
        Ok(added) => Ok(json!({ "ok": true, "reported": if added { "now" } else { "before" } })),
        Err(error) if matches!(error.code, Code::Invalid | Code::Conflict) => Err(ToolError::RespondToModel(error.message.to_string())),
        Err(error) => Err(ToolError::Fatal(error)),
    }
}
