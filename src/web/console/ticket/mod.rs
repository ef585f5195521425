//! One ticket: the page that shows it, and what an officer does with it.

mod acts;
mod at_ticket;
mod done;
mod page;
mod picture;
mod reading;
mod sealed;
mod view;
mod writing;

pub use acts::{assign, hand_back, link, merge, move_to, prioritise, set_status, take};
pub use page::show;
pub use picture::download;
pub use sealed::unmask;
pub use writing::{note, reply};
