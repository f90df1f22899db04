//! From a program to instructions: the forward part, then one reverse pass for each output.
//!
//! Nothing that is left out or merged on the way changes a bit.

use super::analysis::Analysis;
use super::code::Code;
use super::lowering::{BYTES_OF_REGISTER, Lowering, PLAN_BUDGET};
use super::reverse::{Pass, Rows};
use super::second;
use super::targets::Targets;
use super::{fuse, registers};
use crate::batch::Request;
use crate::batch::program::{Kind, NodeId, Program};
use crate::error::Error;
use crate::room;

/// What compiling takes, in bytes, for each node of a program and each of its operands, besides the code.
const BYTES_OF_NODE: usize = 128;
const BYTES_OF_OPERAND: usize = 16;

/// The most instructions that an operand, or the node itself, adds to a pass; more where a selection
/// chooses its way.
const STEPS: usize = 1;
const STEPS_WITH_SELECTIONS: usize = 6;

/// Compiles `program`. Also returned is whether all samples are for the per-sample interpreter, since the code
/// has no derivatives.
///
/// # Errors
/// [`Error::PlanTooLarge`] and [`Error::OutOfMemory`], before the memory is taken.
pub(crate) fn lower(
    program: &Program,
    facts: &Analysis,
    request: &Request,
    derivatives: &Targets,
    directions: &[NodeId],
) -> Result<(Code, bool), Error> {
    let (nodes, operands) = (program.len(), program.operand_count());
    let mut lowering = Lowering::new(program, facts)?;
    lowering.reserve(nodes + operands)?;
    room::probe(nodes * BYTES_OF_NODE + operands * BYTES_OF_OPERAND)?;
    for node in 0..program.len() as NodeId {
        if facts.needed[node as usize] && !matches!(program.kind(node), Kind::Argument(_)) {
            lowering.forward(node);
        }
    }
    for &output in program.outputs() {
        let value = lowering.source(output);
        lowering.code.values.push(value);
    }
    let mut is_interpreted = false;
    if let Request::Directional { what, .. } = request {
        let steps = if facts.selects(program) { STEPS_WITH_SELECTIONS } else { STEPS };
        is_interpreted = !second::lower(&mut lowering, what, derivatives, directions, steps)?;
    } else if !derivatives.elements.is_empty() {
        let mut rows = Rows::new(program.len())?;
        let steps = if facts.selects(program) { STEPS_WITH_SELECTIONS } else { STEPS };
        let outputs = program.outputs().len();
        let mut first = 0;
        for (number, &root) in program.outputs().iter().enumerate() {
            let seed = directions.get(number).map(|&adjoint| lowering.source(adjoint));
            let pass = Pass::new(&mut lowering, &mut rows, number, root, steps)?;
            pass.seeded(seed).run(derivatives)?;
            let so_far = lowering.bytes();
            if number == 0 {
                first = so_far;
            } else if so_far - first > PLAN_BUDGET {
                return Err(Error::PlanTooLarge { outputs, fitting: number, budget: PLAN_BUDGET });
            }
        }
    }
    lowering.code.checks.sort_unstable();
    lowering.code.checks.dedup();
    room::probe(lowering.registers as usize * BYTES_OF_REGISTER)?;
    fuse::fuse(&mut lowering.code, lowering.registers);
    registers::allocate(&mut lowering.code, lowering.registers);
    Ok((lowering.code, is_interpreted))
}
