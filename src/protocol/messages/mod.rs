//! What each message carries.

mod documents;
mod queries;
mod relay;
mod session;
mod store;

pub use documents::*;
pub use queries::*;
pub use relay::*;
pub use session::*;
pub use store::*;
