//! The columns of a second-order pass, for K directions at once.

use crate::op::curvature::Wide;
use crate::status::Status;

/// So many directions at once where there are several: what a node's partials cost is paid once for them.
pub(super) const LANES: usize = 4;

/// The bits of a row's mark besides the [`Status`] of its adjoint.
pub(super) mod flag {
    pub const STATUS: u8 = 7;
    /// A direction was given for the node.
    pub const SOURCE: u8 = 16;
    /// The sweep has come to the node.
    pub const REACHED: u8 = 32;
    /// A contribution was added: the adjoint is a sum.
    pub const RECEIVED: u8 = 64;
    /// What lies below is not part of the pass: contributions stay at the node.
    pub const BOUNDARY: u8 = 128;
    /// Beside the status of a tangent: the direction has a part below the node.
    pub const MOVES: u8 = 8;
}

/// Four bits for each direction: a [`Status`] and [`flag::MOVES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nibbles(u16);

const _: () = assert!(LANES <= 4);

impl Nibbles {
    pub const NONE: Self = Self(0);
    const EACH: u16 = 0x1111;

    /// The same bits for all.
    #[inline(always)]
    pub fn each(bits: u8) -> Self {
        Self(bits as u16 * Self::EACH)
    }

    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// A flag more in the directions that move.
    #[inline(always)]
    pub fn flagged(self, status: Status) -> Self {
        Self(self.0 | (((self.0 >> 3) & Self::EACH) * u16::from(status.bits())))
    }

    /// The statuses alone.
    #[inline(always)]
    pub fn statuses(self) -> Self {
        Self(self.0 & (7 * Self::EACH))
    }

    pub fn set(&mut self, lane: usize, bits: u8) {
        self.0 |= u16::from(bits) << (4 * lane);
    }

    pub fn get(self, lane: usize) -> u8 {
        (self.0 >> (4 * lane)) as u8 & 15
    }
}

/// What a pass knows of a node that leads to a source. Sums begin with −0, which changes no number added to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<const K: usize> {
    pub adjoint: f64,
    pub tangents: [f64; K],
    /// How the adjoint changes, or the adjoint of the value.
    pub second: [f64; K],
    /// The pass that the row belongs to; in any other the node leads to no source.
    pub pass: u32,
    /// Of an alias the node that it stands for, plus 1.
    pub target: u32,
    pub mark: u8,
    pub moves: Nibbles,
    pub status: Nibbles,
}

impl<const K: usize> Row<K> {
    pub const NEW: Self = Self {
        adjoint: -0.0,
        tangents: [-0.0; K],
        second: [-0.0; K],
        pass: 0,
        target: 0,
        mark: 0,
        moves: Nibbles::NONE,
        status: Nibbles::NONE,
    };
}

#[derive(Debug)]
pub(crate) struct Rows<const K: usize> {
    pub(super) rows: Vec<Row<K>>,
    /// The last walk that came by each node.
    pub(super) seen: Vec<u32>,
    /// What the roots reach, in descending order.
    pub(super) reached: Vec<u32>,
    /// The walk, the pass, and the last number given to either; 0 is none.
    pub(super) walk: u32,
    pub(super) pass: u32,
    last: u32,
    pub(super) lists: Lists,
    /// For who asks for it: the node of each term that was left out, and the recorded gradients that were
    /// differentiated there.
    pub(super) left_out: Option<Vec<(u32, u32)>>,
    /// The recorded gradients that a pass inside of another one differentiates.
    pub(super) of_gradients: u32,
    /// Whether what first order leaves out was noted before.
    pub(super) repeats: bool,
}

/// Inputs of a variadic node, and tangents and results in their order.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub inputs: Vec<f64>,
    pub tangents: Vec<f64>,
    pub bends: Vec<Wide>,
}

impl<const K: usize> Default for Rows<K> {
    fn default() -> Self {
        let (rows, seen, reached) = (vec![], vec![], vec![]);
        Self {
            rows,
            seen,
            reached,
            walk: 0,
            pass: 0,
            last: 0,
            lists: Lists::default(),
            left_out: None,
            of_gradients: 0,
            repeats: false,
        }
    }
}

impl<const K: usize> Rows<K> {
    /// A number that no walk or pass has that anything remembers.
    pub(super) fn next(&mut self) -> u32 {
        if self.last == u32::MAX {
            self.rows.iter_mut().for_each(|row| row.pass = 0);
            self.seen.fill(0);
            self.last = 0;
        }
        self.last += 1;
        self.last
    }

    /// Begins a pass over what was reached, with its direction at the sources.
    pub(super) fn seed(&mut self, sources: &[(usize, u32)], direction: impl Fn(usize, usize) -> f64) {
        self.pass = self.next();
        for &(place, source) in sources {
            let i = source as usize;
            if self.seen.get(i) != Some(&self.walk) {
                continue;
            }
            let row = &mut self.rows[i];
            if row.pass != self.pass {
                *row = Row { pass: self.pass, mark: flag::SOURCE, ..Row::NEW };
            }
            for lane in 0..K {
                let t = direction(place, lane);
                if t != 0.0 {
                    row.tangents[lane] += t;
                    row.moves.set(lane, flag::MOVES);
                }
            }
        }
    }

    /// The row of a node that leads to a source.
    #[inline(always)]
    pub(super) fn active(&self, node: usize) -> Option<&Row<K>> {
        self.rows.get(node).filter(|row| row.pass == self.pass)
    }

    /// Where contributions to a node go: to what an alias stands for, unless it is a source.
    #[inline(always)]
    pub(super) fn goes_to(&self, node: usize) -> usize {
        match self.rows.get(node) {
            Some(row) if row.target != 0 && row.pass == self.pass && row.mark & flag::SOURCE == 0 => {
                row.target as usize - 1
            }
            _ => node,
        }
    }

    /// A node's tangent; that of a node that leads to no source is 0. Zeros are positive here and in products: of
    /// a second derivative their sign means nothing.
    pub(super) fn tangent(&self, node: u32, lane: usize) -> (f64, Status) {
        self.active(node as usize).map_or((0.0, Status::EXACT), |row| {
            (row.tangents[lane] + 0.0, Status::from_bits_truncate(row.moves.get(lane)))
        })
    }

    pub(super) fn gradient(&self, node: u32) -> Option<(f64, Status)> {
        self.active(node as usize).map(|row| {
            let adjoint = if row.mark & flag::RECEIVED != 0 { row.adjoint } else { 0.0 };
            (adjoint, Status::from_bits_truncate(row.mark))
        })
    }

    pub(super) fn product(&self, node: u32, lane: usize) -> Option<(f64, Status)> {
        self.active(node as usize)
            .map(|row| (row.second[lane] + 0.0, Status::from_bits_truncate(row.mark | row.status.get(lane))))
    }

    /// Notes that a node left out so many terms, if anybody asks; the number.
    #[inline(always)]
    pub(super) fn leaves_out(&mut self, node: usize, count: u64) -> u64 {
        if count != 0
            && let Some(nodes) = &mut self.left_out
        {
            nodes.extend((0..count).map(|_| (node as u32, self.of_gradients)));
        }
        count
    }

    /// Gives memory back that is much more than so many nodes need.
    pub(super) fn trim(&mut self, nodes: usize) {
        let enough = nodes.max(1024);
        if self.rows.capacity() > 4 * enough {
            self.rows.truncate(enough);
            self.rows.shrink_to(enough);
            self.seen.truncate(enough);
            self.seen.shrink_to(enough);
            self.reached.shrink_to(enough);
        }
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row<K>>()
            + (self.seen.capacity() + self.reached.capacity()) * size_of::<u32>()
    }
}

/// The columns of second-order passes, kept between them for their memory.
#[derive(Debug, Default)]
pub(crate) struct SecondScratch {
    pub(super) one: Rows<1>,
    pub(super) several: Rows<LANES>,
}

impl SecondScratch {
    pub(crate) fn trim(&mut self, nodes: usize) {
        self.one.trim(nodes);
        self.several.trim(nodes);
    }

    pub(crate) fn allocated_bytes(&self) -> usize {
        self.one.allocated_bytes() + self.several.allocated_bytes()
    }
}
