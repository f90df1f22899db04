//! The passes whose gradients are recorded, beside the arena.

use crate::mode::{GradientMode, ModeState};

/// How gradients that are recorded came about.
#[derive(Clone, Debug)]
pub(crate) struct GradientPass {
    /// The root's adjoint.
    pub seed: f64,
    pub state: ModeState,
    /// Whether the hysteresis policy saturated.
    pub saturates: bool,
}

/// The passes of rows of the op `Gradients`, in ascending order of the rows.
#[derive(Debug, Default)]
pub(super) struct RecordedGradients(pub Vec<(u32, GradientPass)>);

impl RecordedGradients {
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(self.0.partition_point(|entry| (entry.0 as usize) < len));
    }

    /// Behind the newest row.
    pub fn end(&self) -> usize {
        self.0.last().map_or(0, |last| last.0 as usize + 1)
    }

    /// Follows the live nodes, given in descending order, to where each is now.
    pub fn slide(&mut self, live: &[u32]) {
        self.0.retain_mut(|(row, _)| {
            let place = live.binary_search_by(|node| (*row).cmp(node));
            place.is_ok_and(|place| {
                *row = (live.len() - 1 - place) as u32;
                true
            })
        });
    }

    /// Whether any of them was in Hybrid mode.
    #[inline]
    pub fn has_hybrid(&self) -> bool {
        self.0.iter().any(|(_, pass)| pass.state.mode == GradientMode::Hybrid)
    }

    pub fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<(u32, GradientPass)>()
    }
}
