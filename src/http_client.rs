//! What asks the addresses that the settings name.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

/// A client that nobody leads elsewhere: it follows no redirect and takes no proxy from the environment. A connection may
/// take as long as `connect`, and a request with its answer as long as `whole`.
pub fn builder(connect: Duration, whole: Duration) -> ClientBuilder {
    Client::builder()
        .connect_timeout(connect)
        .timeout(whole)
        .no_proxy()
        .redirect(Policy::none())
}
