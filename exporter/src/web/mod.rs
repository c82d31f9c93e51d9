//! The HTTP side: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever runs the process, and a page
//! that links them.

mod exposition;
mod landing;
mod route;
mod server;

pub use landing::About;
pub use server::{Readiness, Web};
