//! stub
use crate::backward::PassCounts;
use crate::mode::ModeState;
/// s
#[derive(Debug, Default)]
pub struct Statistics { dropped: u64, masked: u64 }
/// s
pub struct Summary;
impl Statistics {
    pub(crate) fn decide(&mut self, state: &ModeState, d: f64, _c: Option<f64>, explored: bool) -> bool {
        explored || state.delta().is_some_and(|delta| d <= delta)
    }
    pub(crate) fn add_pass(&mut self, c: PassCounts) { self.dropped += c.dropped; self.masked += c.masked; }
}
