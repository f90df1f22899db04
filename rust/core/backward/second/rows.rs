//! The columns of a second-order pass, for K directions at once.

use super::Found;
use crate::scalar::TrScalar;
use crate::status::Status;

/// So many directions at once where there are several: what a node's partials cost is paid once for them.
pub(super) const LANES: usize = 4;

/// The bits of a row's mark besides the [`Status`] of its adjoint.
pub(super) mod flag {
    /// The pass has found the node below a root.
    pub const SEEN: u8 = 8;
    /// The node leads to a source.
    pub const ACTIVE: u8 = 16;
    /// The sweep has come to the node.
    pub const REACHED: u8 = 32;
    /// A contribution was added: the adjoint is a sum.
    pub const RECEIVED: u8 = 64;
    pub const STATUS: u8 = 7;
    /// Beside the status of a tangent: the direction has a part below the node.
    pub const MOVES: u8 = 8;
}

/// What a pass knows of a node. Sums begin with −0, which changes no number added to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<const K: usize> {
    pub adjoint: f64,
    pub tangents: [f64; K],
    /// How the adjoint changes, or the adjoint of the value.
    pub second: [f64; K],
    pub mark: u8,
    pub moves: [u8; K],
    pub status: [u8; K],
}

impl<const K: usize> Row<K> {
    pub const NEW: Self = Self {
        adjoint: -0.0,
        tangents: [-0.0; K],
        second: [-0.0; K],
        mark: 0,
        moves: [0; K],
        status: [0; K],
    };

    pub fn is_active(&self) -> bool {
        self.mark & flag::ACTIVE != 0
    }
}

#[derive(Debug)]
pub(in super::super) struct Rows<const K: usize> {
    pub(super) rows: Vec<Row<K>>,
    /// What the roots reach, in descending order.
    pub(super) reached: Vec<u32>,
    /// Inputs of a variadic node, and tangents and results in their order.
    pub(super) lists: Lists,
}

/// The lists of a variadic node.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub inputs: Vec<f64>,
    pub tangents: Vec<f64>,
    pub bends: Vec<crate::op::curvature::Wide>,
}

impl<const K: usize> Default for Rows<K> {
    fn default() -> Self {
        Self { rows: vec![], reached: vec![], lists: Lists::default() }
    }
}

impl<const K: usize> Rows<K> {
    /// Sets the direction at the sources that were found.
    pub(super) fn seed(&mut self, sources: &[u32], direction: impl Fn(usize, usize) -> f64) {
        for (place, &source) in sources.iter().enumerate() {
            let Some(row) = self.rows.get_mut(source as usize).filter(|row| row.mark & flag::SEEN != 0)
            else {
                continue;
            };
            row.mark |= flag::ACTIVE;
            for lane in 0..K {
                let t = direction(place, lane);
                if t != 0.0 {
                    row.tangents[lane] += t;
                    row.moves[lane] |= flag::MOVES;
                }
            }
        }
    }

    fn found(&self, node: u32) -> Option<&Row<K>> {
        self.rows.get(node as usize).filter(|row| row.is_active())
    }

    /// A node's tangent; that of a node that leads to no source is 0.
    pub(super) fn tangent(&self, node: u32, lane: usize) -> Found {
        self.found(node).map_or((TrScalar::from_ieee(0.0), Status::EXACT), |row| {
            (number(row.tangents[lane]), Status::from_bits_truncate(row.moves[lane] & flag::STATUS))
        })
    }

    pub(super) fn gradient(&self, node: u32) -> Option<Found> {
        self.found(node).map(|row| {
            let adjoint = if row.mark & flag::RECEIVED != 0 { row.adjoint } else { 0.0 };
            (TrScalar::from_ieee(adjoint), Status::from_bits_truncate(row.mark))
        })
    }

    pub(super) fn product(&self, node: u32, lane: usize) -> Option<Found> {
        self.found(node)
            .map(|row| (number(row.second[lane]), Status::from_bits_truncate(row.mark | row.status[lane])))
    }

    /// Forgets a pass.
    pub(super) fn clear(&mut self) {
        for &node in &self.reached {
            self.rows[node as usize].mark = 0;
        }
        self.reached.clear();
    }

    /// Gives memory back that is much more than so many nodes need.
    pub(super) fn trim(&mut self, nodes: usize) {
        let enough = nodes.max(1024);
        if self.rows.capacity() > 4 * enough {
            self.rows.truncate(enough);
            self.rows.shrink_to(enough);
            self.reached.shrink_to(enough);
        }
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row<K>>() + self.reached.capacity() * size_of::<u32>()
    }
}

/// Zeros are positive: of a second derivative their sign means nothing.
fn number(x: f64) -> TrScalar {
    TrScalar::from_ieee(x + 0.0)
}
