//! Derivatives along directions and second derivatives, as instructions.

use super::code::Derivative;
use super::lowering::Lowering;
use super::targets::Targets;
use crate::batch::Directional;
use crate::batch::program::NodeId;
use crate::error::Error;
use crate::room;

/// Appends what computes the derivatives; whether the program is one that there are instructions for. If it is
/// not, the derivatives have no source.
pub(crate) fn lower(
    lowering: &mut Lowering<'_>,
    what: &Directional,
    targets: &Targets,
    _directions: &[NodeId],
) -> Result<bool, Error> {
    place(lowering, what, targets)?;
    Ok(false)
}

/// Notes the derivatives that are asked for, without sources.
fn place(lowering: &mut Lowering<'_>, what: &Directional, targets: &Targets) -> Result<(), Error> {
    let (program, elements) = (lowering.program, &targets.elements);
    let derivatives = &mut lowering.code.derivatives;
    let new = |element, array, column| Derivative { output: 0, element, array, column, source: None };
    room::reserve_exact(derivatives, targets.widths.iter().sum())?;
    match what {
        Directional::Derivative { widths } => {
            let places = widths
                .iter()
                .enumerate()
                .flat_map(|(array, &width)| (0..width).map(move |column| (array, column)));
            let outputs = program.outputs().iter().zip(places);
            derivatives.extend(outputs.map(|(&output, (array, column))| new(output, array, column)));
        }
        Directional::Product(_) => {
            derivatives.extend(elements.iter().map(|&(element, array, column)| new(element, array, column)));
        }
        Directional::Hessian => {
            for &(element, _, row) in elements {
                derivatives.extend((0..elements.len()).map(|j| new(element, 0, row * elements.len() + j)));
            }
        }
    }
    Ok(())
}
