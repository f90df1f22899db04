//! What a pass leaves out, for those who watch it.

use crate::op::Op;

/// A contribution that a pass leaves out.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// The op of the node that made it.
    pub op: Op,
    /// The values of the first operands; behind the base of a power its exponent.
    pub operands: Vec<f64>,
    /// The value of the node.
    pub value: f64,
    /// The place that was noted for the node.
    pub place: Option<u32>,
    /// Which input lacks it.
    pub input: Option<u32>,
}
