//! From a program to instructions: the forward part, then one reverse pass for each output.
//!
//! Nothing that is left out or merged on the way changes a bit.

use super::analysis::Analysis;
use super::code::Code;
use super::lowering::{Derivatives, Lowering};
use super::reverse::{Pass, Rows};
use super::{fuse, registers};
use crate::batch::program::{Kind, NodeId, Program};

/// Compiles `program`.
pub(crate) fn lower(program: &Program, facts: &Analysis, derivatives: &Derivatives<'_>) -> Code {
    let mut lowering = Lowering::new(program, facts);
    for node in 0..program.len() as NodeId {
        if facts.needed[node as usize] && !matches!(program.kind(node), Kind::Argument(_)) {
            lowering.forward(node);
        }
    }
    for &output in program.outputs() {
        let value = lowering.source(output);
        lowering.code.values.push(value);
    }
    if !derivatives.elements.is_empty() {
        let mut rows = Rows::new(program.len());
        for (number, &root) in program.outputs().iter().enumerate() {
            Pass::new(&mut lowering, &mut rows, number, root).run(derivatives);
        }
    }
    lowering.code.checks.sort_unstable();
    lowering.code.checks.dedup();
    fuse::fuse(&mut lowering.code, lowering.registers);
    registers::allocate(&mut lowering.code, lowering.registers);
    lowering.code
}
