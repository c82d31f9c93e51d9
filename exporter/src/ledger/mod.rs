//! The ledger: writes that are noted before they are sent, and audited one by one.

pub mod audit;
pub mod record;
