//! The columns that a backward pass works in.
//!
//! A node's mark says whether its adjoint is valid and how it came about. While a pass runs, the
//! `REACHED` bit marks the nodes it still has to visit; between passes that bit is clear
//! everywhere.

use crate::error::Error;
use crate::room::reserve_exact;
use crate::status::Status;

/// The bits of a mark that are a [`Status`].
pub const STATUS: u8 = 7;
/// A contribution was added: the adjoint is a sum. Without it the adjoint is the empty sum.
pub const RECEIVED: u8 = 8;
/// The adjoint is that of the last pass.
pub(crate) const PRESENT: u8 = 16;
/// The node leads to a source that was asked for.
pub const ACTIVE: u8 = 32;
/// The pass has to visit the node.
pub(crate) const REACHED: u8 = 64;
/// Contributions go to another node, whose index the row holds as the lower bits of its value; to none if
/// that is the node itself.
pub(crate) const FORWARDS: u8 = 128;

/// The adjoint of a node and how it came about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Adjoint {
    pub value: f64,
    pub mark: u8,
}

impl Adjoint {
    /// The adjoint product arrives: it is added if it is REAL. If it is not, it is left out, and
    /// whether that counts is returned: not if ḡ is 0.
    #[inline(always)]
    pub fn receive(&mut self, contribution: f64, g: f64, status: u8) -> bool {
        if !contribution.is_finite() {
            let dropped = g != 0.0;
            self.reach(status | if dropped { Status::DROPPED.bits() } else { 0 });
            return dropped;
        }
        // A sum begins with its first contribution.
        self.value = if self.mark & RECEIVED != 0 { self.value + contribution } else { contribution };
        self.mark |= status | REACHED | PRESENT | RECEIVED;
        false
    }

    /// The row is reached without a contribution.
    #[inline(always)]
    pub fn reach(&mut self, status: u8) {
        self.mark |= status | REACHED | PRESENT;
    }

    /// Has contributions go to another node. The row may stand in a list of such rows, before `next`: the
    /// rows are the links, so that a list takes no memory.
    pub fn forward(&mut self, target: u32, next: Option<u32>) {
        let next = next.map_or(0, |next| u64::from(next) + 1);
        self.value = f64::from_bits(next << 32 | u64::from(target));
        self.mark |= FORWARDS;
    }

    /// Takes the row out of the list at whose beginning it is, and returns the next one.
    pub fn stop_forwarding(&mut self) -> Option<u32> {
        self.mark &= !FORWARDS;
        (self.value.to_bits() >> 32).checked_sub(1).map(|next| next as u32)
    }

    /// Where contributions go, if that is not here.
    pub fn target(&self) -> Option<u32> {
        (self.mark & FORWARDS != 0).then_some(self.value.to_bits() as u32)
    }

    /// The adjoint and the status of a row that was reached.
    #[inline(always)]
    pub fn visit(&self) -> Option<(f64, u8)> {
        let g = if self.mark & RECEIVED != 0 { self.value } else { 0.0 };
        (self.mark & REACHED != 0).then_some((g, self.mark & STATUS))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Adjoints {
    pub rows: Vec<Adjoint>,
}

impl Adjoints {
    /// Makes room for so many nodes, without the slack of doubling.
    pub fn grow(&mut self, nodes: usize) -> Result<(), Error> {
        if self.rows.len() < nodes {
            if self.rows.capacity() < nodes {
                let (len, room) = (self.rows.len(), nodes.max(self.rows.capacity() * 5 / 4));
                let generous = reserve_exact(&mut self.rows, room - len);
                generous.or_else(|_| reserve_exact(&mut self.rows, nodes - len))?;
            }
            self.rows.resize(nodes, Adjoint::default());
        }
        Ok(())
    }

    /// The adjoint of the last pass that visited the node.
    pub fn get(&self, node: u32) -> Option<(f64, Status)> {
        let Adjoint { value, mark } = *self.rows.get(node as usize)?;
        let adjoint = if mark & RECEIVED != 0 { value } else { 0.0 };
        (mark & PRESENT != 0).then(|| (adjoint, Status::from_bits_truncate(mark)))
    }

    /// The status in a node's mark, with or without an adjoint.
    pub fn status(&self, node: u32) -> Status {
        let mark = self.rows.get(node as usize).map_or(0, |row| row.mark);
        Status::from_bits_truncate(mark)
    }

    /// Marks a node that has no adjoint.
    pub fn set_status(&mut self, node: u32, status: Status) {
        self.rows[node as usize].mark = status.bits();
    }

    pub fn set_zero(&mut self, node: u32) {
        self.rows[node as usize].mark = PRESENT;
    }

    /// Moves a row down when its node moves.
    pub fn slide(&mut self, from: usize, to: usize) {
        if to < self.rows.len() {
            self.rows[to] = self.rows.get(from).copied().unwrap_or_default();
        }
    }

    pub fn truncate(&mut self, len: usize) {
        self.rows.truncate(len);
    }

    pub fn shrink_to(&mut self, len: usize) {
        self.rows.shrink_to(len);
    }

    pub fn allocated_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Adjoint>()
    }
}
