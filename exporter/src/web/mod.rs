//! The HTTP side: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever runs the process, and a page
//! that links them.

mod exposition;
mod landing;
mod route;
mod scrapers;
mod server;

pub use landing::About;
pub use scrapers::{Scrapers, Visitor};
pub use server::{Readiness, Web};
