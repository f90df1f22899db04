//! The columns that a backward pass works in.
//!
//! A node's mark says whether its adjoint is valid and how it came about. While a pass runs, the
//! [`REACHED`] bit marks the nodes it still has to visit; between passes that bit is clear
//! everywhere.

use crate::status::Status;

/// The bits of a mark that are a [`Status`].
pub(crate) const STATUS: u8 = 7;
/// A contribution was added: the adjoint is a sum. Without it the adjoint is the empty sum.
pub(crate) const RECEIVED: u8 = 8;
/// The adjoint is that of the last pass.
pub(crate) const PRESENT: u8 = 16;
/// The node leads to a source that was asked for.
pub(crate) const ACTIVE: u8 = 32;
/// The pass has to visit the node.
pub(crate) const REACHED: u8 = 64;

#[derive(Debug, Default)]
pub(crate) struct Adjoints {
    pub values: Vec<f64>,
    pub marks: Vec<u8>,
}

impl Adjoints {
    /// Makes room for so many nodes, without the slack of doubling.
    pub fn grow(&mut self, nodes: usize) {
        if self.values.len() < nodes {
            if self.values.capacity() < nodes {
                let room = nodes.max(self.values.capacity() * 5 / 4);
                self.values.reserve_exact(room - self.values.len());
                self.marks.reserve_exact(room - self.marks.len());
            }
            self.values.resize(nodes, 0.0);
            self.marks.resize(nodes, 0);
        }
    }

    /// The adjoint of the last pass that visited the node.
    pub fn get(&self, node: u32) -> Option<(f64, Status)> {
        let mark = *self.marks.get(node as usize)?;
        let adjoint = if mark & RECEIVED != 0 { self.values[node as usize] } else { 0.0 };
        (mark & PRESENT != 0).then(|| (adjoint, Status::from_bits_truncate(mark)))
    }

    pub fn set_zero(&mut self, node: u32) {
        self.marks[node as usize] = PRESENT;
    }

    pub fn copy(&mut self, from: usize, to: usize) {
        if from < self.values.len() {
            self.values[to] = self.values[from];
            self.marks[to] = self.marks[from];
        } else if to < self.values.len() {
            self.marks[to] = 0;
        }
    }

    pub fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.marks.truncate(len);
    }

    pub fn shrink_to(&mut self, len: usize) {
        self.values.shrink_to(len);
        self.marks.shrink_to(len);
    }

    pub fn allocated_bytes(&self) -> usize {
        self.values.capacity() * 9
    }
}
