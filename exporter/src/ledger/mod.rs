//! The ledger: writes that are noted before they are sent, and audited one by one.
//!
//! [`record`] notes them, [`stores`] sends them, [`audit`] judges them; [`Ledgers`] joins the three for a run.
//! An acknowledged write that is not in the store is lost, and no run may end without having looked for each.

mod account;
pub mod audit;
mod auditor;
mod ledgers;
pub mod metrics;
pub mod record;
mod schema;
pub mod stores;
mod summary;
mod writers;

pub use ledgers::{LedgerError, Ledgers};
pub use schema::{Scope, cleanup, ensure_schema, sql};
pub use summary::{AuditResult, AuditSummary, Completed, DatasetSummary, LostWrite};
